import { validFormat } from "./day.js";
import { parseDecimal } from "./fraction.js";
import type { Token } from "./lex.js";
import { Lexer } from "./lex.js";
import { Pattern } from "./pattern.js";
import { Problem, reasons } from "./problem.js";
import type { BinaryOp, Node } from "./tree.js";
import { functions, isFunction, levels } from "./tree.js";
import type { FieldType, JSONText } from "./value.js";
import { bool, number, read, text, wellFormed } from "./value.js";

/** What a formula may speak of. */
export interface Names {
  /** How the values of a field are read; null if there is none of the name. */
  field(name: string): FieldType | null;
  /** How the point is read. */
  readonly self: FieldType;
  /** What a setting is where nobody has set it; null if there is none of the name. */
  setting(name: string): JSONText | null;
}

const MOST = 4000;
const DEEPEST = 50;
const SPECIAL = ["true", "false", "setting", "today", "now"];

/** Reads a formula (R104). It throws a Problem, and nothing else. */
export function parseTree(source: string, names: Names): Node {
  const clean = wellFormed(source);
  if ([...clean].length > MOST) {
    throw new Problem(MOST + 1, "", reasons.tooLong);
  }
  return new Parser(clean, names).run();
}

class Parser {
  private readonly lexer: Lexer;
  private now: Token;
  private depth = 0;

  constructor(
    source: string,
    private readonly names: Names,
  ) {
    this.lexer = new Lexer(source);
    this.now = this.lexer.next();
  }

  run(): Node {
    const root = this.binary(0);
    if (this.now.sort !== "end") {
      throw this.unexpected();
    }
    return root;
  }

  private step(): void {
    this.now = this.lexer.next();
  }

  private unexpected(): Problem {
    const { sort, from, text } = this.now;
    if (sort === "end") {
      return this.lexer.problem(from, "", reasons.endsEarly);
    }
    const near = sort === "name" ? text : String.fromCodePoint(this.lexer.source.codePointAt(from) ?? 0);
    return this.lexer.problem(from, near, reasons.notExpected);
  }

  private at(sign: string): boolean {
    return this.now.sort === "sign" && this.now.text === sign;
  }

  private expect(sign: string): void {
    if (!this.at(sign)) {
      throw this.unexpected();
    }
    this.step();
  }

  private operator(level: number): BinaryOp | undefined {
    const { sort, text } = this.now;
    return sort === "sign" || sort === "name" ? levels[level]?.find((by) => by === text) : undefined;
  }

  private binary(level: number): Node {
    if (level === levels.length) {
      return this.unary();
    }
    let left = this.binary(level + 1);
    for (let by = this.operator(level); by !== undefined; by = this.operator(level)) {
      this.step();
      left = { op: "binary", by, left, right: this.binary(level + 1) };
    }
    return left;
  }

  private unary(): Node {
    if (++this.depth > DEEPEST) {
      throw this.lexer.problem(this.now.from, "", reasons.tooDeep);
    }
    let node: Node;
    if (this.at("-")) {
      this.step();
      node = { op: "negate", arg: this.unary() };
    } else {
      node = this.operand();
    }
    this.depth--;
    return node;
  }

  private operand(): Node {
    const t = this.now;
    switch (t.sort) {
      case "number":
        this.step();
        return { op: "literal", value: number(parseDecimal(t.text)) };
      case "text":
        this.step();
        return { op: "literal", value: text(t.text) };
      case "field": {
        const type = this.names.field(t.text);
        if (type === null) {
          throw this.lexer.problem(t.from, t.text, reasons.noField);
        }
        this.step();
        return { op: "field", name: t.text, type };
      }
      case "name":
        return this.function(t);
      default:
        break;
    }
    if (this.at(".")) {
      this.step();
      return { op: "self", type: this.names.self };
    }
    if (!this.at("(")) {
      throw this.unexpected();
    }
    this.step();
    const inner = this.binary(0);
    this.expect(")");
    return inner;
  }

  private function(name: Token): Node {
    this.step();
    if (!this.at("(")) {
      throw this.lexer.problem(name.from, name.text, reasons.notExpected);
    }
    if (!isFunction(name.text) && !SPECIAL.includes(name.text)) {
      throw this.lexer.problem(name.from, name.text, reasons.noFunction);
    }
    const { args, starts } = this.arguments();
    const [least, most] = isFunction(name.text) ? functions[name.text] : name.text === "setting" ? [1, 1] : [0, 0];
    if (args.length < least || args.length > most) {
      throw this.lexer.problem(name.from, name.text, reasons.badArguments);
    }
    return isFunction(name.text) ? this.call(name.text, args, starts) : this.special(name.text, args, starts);
  }

  private arguments(): { args: Node[]; starts: number[] } {
    this.step();
    const [args, starts]: [Node[], number[]] = [[], []];
    while (!this.at(")")) {
      if (args.length > 0) {
        this.expect(",");
      }
      starts.push(this.now.from);
      args.push(this.binary(0));
    }
    this.step();
    return { args, starts };
  }

  private special(name: string, args: readonly Node[], starts: readonly number[]): Node {
    switch (name) {
      case "true":
      case "false":
        return { op: "literal", value: bool(name === "true") };
      case "today":
      case "now":
        return { op: name };
      default: {
        const setting = this.quoted(args[0], starts[0]);
        const otherwise = this.names.setting(setting);
        if (otherwise === null) {
          throw this.lexer.problem(starts[0] ?? 0, setting, reasons.noSetting);
        }
        return { op: "setting", name: setting, otherwise: read(otherwise, "plain") };
      }
    }
  }

  /** An argument that must be a text in quotes. */
  private quoted(arg: Node | undefined, from = 0): string {
    if (arg?.op !== "literal" || arg.value.sort !== "text") {
      throw this.lexer.problem(from, "", reasons.literalNeeded);
    }
    return arg.value.s;
  }

  private call(name: keyof typeof functions, args: readonly Node[], starts: readonly number[]): Node {
    if (name === "format-date") {
      const format = this.quoted(args[1], starts[1]);
      if (!validFormat(format)) {
        throw this.lexer.problem(starts[1] ?? 0, format, reasons.badFormat);
      }
    }
    if (name !== "regex") {
      return { op: "call", name, args };
    }
    const pattern = Pattern.parse(this.quoted(args[1], starts[1]));
    if (!(pattern instanceof Pattern)) {
      throw this.lexer.problem(starts[1] ?? 0, pattern.near, pattern.reason);
    }
    return { op: "call", name, args, pattern };
  }
}
