import type { Text } from "./problem.js";
import { reasons } from "./problem.js";

// A regular expression of the part that means the same everywhere (R111). It is read and
// run here, as the browser's own may take for ever.

/** Characters from the first to the second. */
type Span = readonly [number, number];

type Part =
  | { readonly sort: "class"; readonly set: readonly Span[] }
  | { readonly sort: "sequence" | "choice"; readonly parts: readonly Part[] }
  | { readonly sort: "repeat"; readonly part: Part; readonly least: number; readonly most: number };

const LAST = 0x10ffff;
const MOST = 1000;
const BRACKETS = 20;

export interface PatternFault {
  readonly near: string;
  readonly reason: Text;
}

class Fault extends Error {
  constructor(
    readonly near: string,
    readonly reason: Text,
  ) {
    super(reason.en);
  }
}

/** A step of the machine that a pattern becomes. */
type Step = { readonly set: readonly Span[]; readonly next: number } | { readonly ways: readonly number[] } | "end";

/** A pattern that texts are held against. */
export class Pattern {
  private readonly steps: Step[] = ["end"];
  private readonly start: number;

  private constructor(whole: Part) {
    this.start = this.build(whole, 0);
  }

  /** Reads a pattern, or says what is wrong with it. */
  static parse(source: string): Pattern | PatternFault {
    try {
      return new Pattern(parsePattern([...source]));
    } catch (e) {
      if (e instanceof Fault) {
        return { near: e.near, reason: e.reason };
      }
      throw e;
    }
  }

  /** Whether the whole of a text matches. It takes time bounded by both lengths. */
  matches(text: string): boolean {
    let now = this.reached([this.start]);
    for (const c of text) {
      const code = c.codePointAt(0) ?? 0;
      const next: number[] = [];
      for (const at of now) {
        const step = this.steps[at];
        if (step !== undefined && step !== "end" && "set" in step && step.set.some(([lo, hi]) => code >= lo && code <= hi)) {
          next.push(step.next);
        }
      }
      now = this.reached(next);
    }
    return now.has(0);
  }

  /** The steps that are reached from some without a character. */
  private reached(from: readonly number[]): Set<number> {
    const seen = new Set<number>();
    const open = [...from];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      if (seen.has(at)) {
        continue;
      }
      seen.add(at);
      const step = this.steps[at];
      if (step !== undefined && step !== "end" && "ways" in step) {
        open.push(...step.ways);
      }
    }
    return seen;
  }

  private add(step: Step): number {
    return this.steps.push(step) - 1;
  }

  /** Builds the steps of a part that go on to next, and returns the first. */
  private build(part: Part, next: number): number {
    switch (part.sort) {
      case "class":
        return this.add({ set: part.set, next });
      case "sequence":
        return part.parts.reduceRight((on, one) => this.build(one, on), next);
      case "choice":
        return this.add({ ways: part.parts.map((one) => this.build(one, next)) });
      case "repeat":
        return this.repeat(part.part, part.least, part.most, next);
    }
  }

  private repeat(part: Part, least: number, most: number, next: number): number {
    let on = next;
    if (most < 0) {
      const ways: number[] = [];
      on = this.add({ ways });
      ways.push(this.build(part, on), next);
    }
    for (let i = least; i < most; i++) {
      on = this.add({ ways: [this.build(part, on), next] });
    }
    for (let i = 0; i < least; i++) {
      on = this.build(part, on);
    }
    return on;
  }
}

function parsePattern(all: readonly string[]): Part {
  if (all.length > MOST) {
    throw new Fault("", reasons.bigPattern);
  }
  let source = all[0] === "^" ? all.slice(1) : all;
  if (source[source.length - 1] === "$" && !escaped(source, source.length - 1)) {
    source = source.slice(0, -1);
  }
  const reader = new Reader(source);
  const whole = reader.choice();
  if (!reader.done()) {
    throw new Fault(")", reasons.badPattern);
  }
  if (size(whole) > MOST) {
    throw new Fault("", reasons.bigPattern);
  }
  return whole;
}

/** Whether an odd number of backslashes stands before a place. */
function escaped(source: readonly string[], at: number): boolean {
  let n = 0;
  while (source[at - n - 1] === "\\") {
    n++;
  }
  return n % 2 === 1;
}

/** How many classes a part has once its repetitions are written out. */
function size(part: Part): number {
  switch (part.sort) {
    case "class":
      return 1;
    case "repeat":
      return Math.min(MOST + 1, size(part.part) * Math.max(1, part.most, part.least + 1));
    case "sequence":
    case "choice":
      return Math.max(1, Math.min(MOST + 1, part.parts.reduce((n, one) => n + size(one), 0)));
  }
}

const code = (c: string): number => c.codePointAt(0) ?? 0;
const DIGITS: readonly Span[] = [[0x30, 0x39]];
const WORD: readonly Span[] = [[0x30, 0x39], [0x41, 0x5a], [0x5f, 0x5f], [0x61, 0x7a]];
const BLANKS: readonly Span[] = [[9, 13], [0x20, 0x20]];

/** Every character that ordered ranges leave out. */
function opposite(set: readonly Span[]): Span[] {
  const out: Span[] = [];
  let next = 0;
  for (const [lo, hi] of set) {
    if (lo > next) {
      out.push([next, lo - 1]);
    }
    next = hi + 1;
  }
  if (next <= LAST) {
    out.push([next, LAST]);
  }
  return out;
}

/** Puts ranges in order and joins those that touch. */
function merged(set: readonly Span[]): Span[] {
  const out: Span[] = [];
  for (const [lo, hi] of [...set].sort((a, b) => a[0] - b[0] || a[1] - b[1])) {
    const last = out[out.length - 1];
    if (last !== undefined && lo <= last[1] + 1) {
      out[out.length - 1] = [last[0], Math.max(last[1], hi)];
    } else {
      out.push([lo, hi]);
    }
  }
  return out;
}

const ESCAPES: Readonly<Record<string, readonly Span[]>> = {
  d: DIGITS, D: opposite(DIGITS), w: WORD, W: opposite(WORD), s: BLANKS, S: opposite(BLANKS),
  t: [[9, 9]], n: [[10, 10]], r: [[13, 13]],
};

/** Reads a pattern by its characters. */
class Reader {
  private at = 0;
  private depth = 0;

  constructor(private readonly source: readonly string[]) {}

  done(): boolean {
    return this.at >= this.source.length;
  }

  private peek(): string | undefined {
    return this.source[this.at];
  }

  choice(): Part {
    const parts = [this.sequence()];
    while (this.peek() === "|") {
      this.at++;
      parts.push(this.sequence());
    }
    return { sort: "choice", parts };
  }

  private sequence(): Part {
    const parts: Part[] = [];
    for (let c = this.peek(); c !== undefined && c !== "|" && c !== ")"; c = this.peek()) {
      parts.push(this.repeated(this.atom(c)));
    }
    return { sort: "sequence", parts };
  }

  private atom(c: string): Part {
    this.at++;
    switch (c) {
      case "(":
        return this.group();
      case "[":
        return { sort: "class", set: this.class() };
      case ".":
        return { sort: "class", set: opposite([[10, 10]]) };
      case "\\":
        return { sort: "class", set: this.escape() };
      case "^":
      case "$":
        throw new Fault(c, reasons.noSuchPattern);
      case "*":
      case "+":
      case "?":
      case "{":
      case "}":
      case "]":
        throw new Fault(c, reasons.badPattern);
      default:
        return { sort: "class", set: [[code(c), code(c)]] };
    }
  }

  private group(): Part {
    if (++this.depth > BRACKETS) {
      throw new Fault("(", reasons.bigPattern);
    }
    if (this.peek() === "?") {
      if (this.source[this.at + 1] !== ":") {
        throw new Fault("(?", reasons.noSuchPattern);
      }
      this.at += 2;
    }
    const inner = this.choice();
    if (this.peek() !== ")") {
      throw new Fault("(", reasons.badPattern);
    }
    this.at++;
    this.depth--;
    return inner;
  }

  private repeated(part: Part): Part {
    const c = this.peek();
    if (c === undefined || !"*+?{".includes(c)) {
      return part;
    }
    this.at++;
    const [least, most] = c === "{" ? this.bounds() : c === "*" ? [0, -1] : c === "+" ? [1, -1] : [0, 1];
    const again = this.peek();
    if (again !== undefined && "*+?{".includes(again)) {
      throw new Fault(c + again, reasons.noSuchPattern);
    }
    return { sort: "repeat", part, least, most };
  }

  /** Reads 3} or 3,} or 3,5}. */
  private bounds(): [number, number] {
    const least = this.count();
    let most: number | null = least;
    if (this.peek() === ",") {
      this.at++;
      most = this.count() ?? -1;
    }
    if (least === null || most === null || this.peek() !== "}" || (most >= 0 && most < least)) {
      throw new Fault("{", reasons.badPattern);
    }
    this.at++;
    return [least, most];
  }

  private count(): number | null {
    const from = this.at;
    let n = 0;
    for (let c = this.peek(); c !== undefined && c >= "0" && c <= "9"; c = this.peek()) {
      n = Math.min(n * 10 + Number(c), MOST + 1);
      this.at++;
    }
    return this.at > from ? n : null;
  }

  private class(): readonly Span[] {
    const not = this.peek() === "^";
    if (not) {
      this.at++;
    }
    const set: Span[] = [];
    for (;;) {
      const c = this.peek();
      if (c === undefined) {
        throw new Fault("[", reasons.badPattern);
      }
      if (c === "]") {
        break;
      }
      set.push(...this.member());
    }
    if (set.length === 0) {
      throw new Fault("[]", reasons.badPattern);
    }
    this.at++;
    const all = not ? opposite(merged(set)) : merged(set);
    if (all.length === 0) {
      throw new Fault("[^]", reasons.badPattern);
    }
    return all;
  }

  /** Reads a character, a range or an escape in square brackets. */
  private member(): readonly Span[] {
    const lo = this.character();
    const from = single(lo);
    const behind = this.source[this.at + 1];
    if (from === null || this.peek() !== "-" || behind === undefined || behind === "]") {
      return lo;
    }
    this.at++;
    const to = single(this.character());
    if (to === null || to < from) {
      throw new Fault("-", reasons.badPattern);
    }
    return [[from, to]];
  }

  private character(): readonly Span[] {
    const c = this.source[this.at++] ?? "";
    if (c === "\\") {
      return this.escape();
    }
    if (c === "[" || (c === "&" && this.peek() === "&")) {
      throw new Fault(c, reasons.noSuchPattern);
    }
    return [[code(c), code(c)]];
  }

  private escape(): readonly Span[] {
    const c = this.peek();
    if (c === undefined) {
      throw new Fault("\\", reasons.badPattern);
    }
    this.at++;
    const known = Object.prototype.hasOwnProperty.call(ESCAPES, c) ? ESCAPES[c] : undefined;
    if (known !== undefined) {
      return known;
    }
    if (c > "~" || c <= " " || /[0-9A-Za-z_]/.test(c)) {
      throw new Fault("\\" + c, reasons.noSuchPattern);
    }
    return [[code(c), code(c)]];
  }
}

/** The character of a range that is one. */
function single(set: readonly Span[]): number | null {
  const [first] = set;
  return set.length === 1 && first !== undefined && first[0] === first[1] ? first[0] : null;
}
