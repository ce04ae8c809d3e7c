import type { Text } from "./problem.js";
import { Problem, reasons } from "./problem.js";

export type TokenSort = "end" | "number" | "text" | "field" | "name" | "sign";

/** A piece of a formula. A text is without its quotes, of a field it is the name. */
export interface Token {
  readonly sort: TokenSort;
  readonly text: string;
  /** Where it begins, in units of UTF-16. */
  readonly from: number;
}

/** Operators and brackets, longer ones first. */
const SIGNS = ["!=", "<=", ">=", "(", ")", ",", "=", "<", ">", "+", "-", "*", "."];

/** Space that may stand between tokens; the last two are those of word processors. */
const SPACES = " \t\r\n\u00a0\u3000";

/** What an input method writes for the signs of the language. */
const WIDE = "‘’“”＂＇（），＝＜＞＋－＊！＄｛｝．≤≥≠−×÷";

/** The name of a field (R02). */
const NAME = /^[A-Za-z0-9._-]{1,64}$/;

/** Cuts a formula into tokens. */
export class Lexer {
  private at = 0;

  constructor(readonly source: string) {}

  problem(from: number, near: string, reason: Text): Problem {
    return new Problem([...this.source.slice(0, from)].length + 1, near, reason);
  }

  next(): Token {
    while (this.at < this.source.length && SPACES.includes(this.source.charAt(this.at))) {
      this.at++;
    }
    const from = this.at;
    const rest = this.source.slice(from);
    const c = rest.charAt(0);
    if (c === "") {
      return { sort: "end", text: "", from };
    }
    if (c === "'" || c === '"') {
      return this.quoted(rest, from);
    }
    if (c === "$") {
      return this.field(rest, from);
    }
    if (/^\.?[0-9]/.test(rest)) {
      return this.number(rest, from);
    }
    const name = /^[A-Za-z_][A-Za-z0-9_:.-]*/.exec(rest)?.[0];
    if (name !== undefined) {
      return this.token("name", name, from, name.length);
    }
    if (c === "/" || rest.startsWith("..")) {
      throw this.problem(from, c, reasons.noPaths);
    }
    const sign = SIGNS.find((s) => rest.startsWith(s));
    if (sign !== undefined) {
      return this.token("sign", sign, from, sign.length);
    }
    const near = String.fromCodePoint(rest.codePointAt(0) ?? 0);
    throw this.problem(from, near, WIDE.includes(near) ? reasons.straight : reasons.notExpected);
  }

  private token(sort: TokenSort, text: string, from: number, length: number): Token {
    this.at = from + length;
    return { sort, text, from };
  }

  private quoted(rest: string, from: number): Token {
    const end = rest.indexOf(rest.charAt(0), 1);
    if (end < 0) {
      throw this.problem(from, "", reasons.openQuote);
    }
    return this.token("text", rest.slice(1, end), from, end + 1);
  }

  private field(rest: string, from: number): Token {
    const end = rest.indexOf("}");
    if (end < 0 || !rest.startsWith("${")) {
      throw this.problem(from, "", reasons.openName);
    }
    const name = trim(rest.slice(2, end));
    if (!NAME.test(name)) {
      throw this.problem(from, name, reasons.openName);
    }
    return this.token("field", name, from, end + 1);
  }

  private number(rest: string, from: number): Token {
    const m = /^([0-9]*)(?:\.([0-9]+))?/.exec(rest);
    const [all = "", before = "", behind = ""] = m ?? [];
    if (before.length > 20 || behind.length > 20) {
      throw this.problem(from, "", reasons.longNumber);
    }
    return this.token("number", all, from, all.length);
  }
}

function trim(s: string): string {
  let [from, to] = [0, s.length];
  while (from < to && SPACES.includes(s.charAt(from))) {
    from++;
  }
  while (to > from && SPACES.includes(s.charAt(to - 1))) {
    to--;
  }
  return s.slice(from, to);
}
