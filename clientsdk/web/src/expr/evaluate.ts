import { DAY_MILLIS, FIRST_DAY, LAST_DAY, dayNumber, dayNumbered, dayOf, formatInstant, startOf } from "./day.js";
import type { Fraction } from "./fraction.js";
import { add, compareFractions, divide, floor, fraction, multiply, remainder, scaledHalfUp, subtract, truncated } from "./fraction.js";
import type { BinaryOp, FunctionName, Node } from "./tree.js";
import type { JSONText, Value } from "./value.js";
import { asDay, asNumber, asText, blank, bool, compare, date, holds, instant, isMoment, none, number, read, same, text, whole } from "./value.js";

/** What a formula is asked about. */
export interface Scope {
  /** What ${name} reads. */
  readonly fields: ReadonlyMap<string, JSONText>;
  /** What . reads: the answer that is being checked. */
  readonly self?: JSONText;
  /** What now() and today() go by, in milliseconds since 1970. */
  readonly now: number;
  /** What is set in the record's area on its day; null where nobody has set it. */
  setting?(name: string): JSONText | null;
}

/** What a formula comes to. */
export function evaluate(node: Node, s: Scope): Value {
  switch (node.op) {
    case "literal":
      return node.value;
    case "field":
      return read(s.fields.get(node.name) ?? "", node.type);
    case "self":
      return read(s.self ?? "", node.type);
    case "setting": {
      const set = s.setting?.(node.name) ?? "null";
      return set === "null" || set === "" ? node.otherwise : read(set, "plain");
    }
    case "now":
      return instant(s.now);
    case "today":
      return date(dayOf(s.now));
    case "negate":
      return negated(evaluate(node.arg, s));
    case "binary":
      return binary(node.by, node.left, node.right, s);
    case "call":
      return call(node, s);
  }
}

function negated(v: Value): Value {
  const x = isMoment(v) ? null : asNumber(v);
  return x === null ? none : number(fraction(-x.n, x.d));
}

function binary(by: BinaryOp, left: Node, right: Node, s: Scope): Value {
  const a = evaluate(left, s);
  if (by === "or") {
    return bool(holds(a) || holds(evaluate(right, s)));
  }
  if (by === "and") {
    return bool(holds(a) && holds(evaluate(right, s)));
  }
  const b = evaluate(right, s);
  const order = () => compare(a, b);
  switch (by) {
    case "=":
      return bool(same(a, b));
    case "!=":
      return bool(!same(a, b));
    case "<":
      return bool(order() === -1);
    case "<=":
      return bool([-1, 0].includes(order() ?? 9));
    case ">":
      return bool(order() === 1);
    case ">=":
      return bool([0, 1].includes(order() ?? 9));
    default:
      return calculated(by, a, b);
  }
}

function calculated(by: "+" | "-" | "*" | "div" | "mod", a: Value, b: Value): Value {
  if ((by === "+" || by === "-") && (isMoment(a) || isMoment(b))) {
    return by === "+" && isMoment(b) ? days(by, b, a) : days(by, a, b);
  }
  const [x, y] = [asNumber(a), asNumber(b)];
  if (x === null || y === null) {
    return none;
  }
  const reckon = { "+": add, "-": subtract, "*": multiply, div: divide, mod: remainder };
  return number(reckon[by](x, y));
}

/** Adds days to a date or an instant, or says how many lie between two. */
function days(by: "+" | "-", a: Value, b: Value): Value {
  if (a.sort !== "date" && a.sort !== "instant") {
    return none;
  }
  if (isMoment(b)) {
    return by === "+" ? none : between(a, b);
  }
  const x = asNumber(b);
  if (x === null) {
    return none;
  }
  const n = by === "-" ? -x.n : x.n;
  if (a.sort === "instant") {
    const at = floor(2n * (n * BigInt(DAY_MILLIS) + BigInt(a.at) * x.d) + x.d, 2n * x.d);
    return at > 2n ** 60n || at < -(2n ** 60n) ? none : instant(Number(at));
  }
  const most = BigInt(LAST_DAY - FIRST_DAY);
  return x.d !== 1n || n > most || n < -most ? none : date(dayNumbered(dayNumber(a.day) + Number(n)));
}

function between(a: Value, b: Value): Value {
  if (a.sort === "instant" && b.sort === "instant") {
    return number(fraction(BigInt(a.at) - BigInt(b.at), BigInt(DAY_MILLIS)));
  }
  const [x, y] = [asDay(a), asDay(b)];
  return x === null || y === null ? none : whole(dayNumber(x) - dayNumber(y));
}

function call(node: Node & { op: "call" }, s: Scope): Value {
  const arg = (i: number): Value => {
    const one = node.args[i];
    return one === undefined ? none : evaluate(one, s);
  };
  switch (node.name) {
    case "if":
      return holds(arg(0)) ? arg(1) : arg(2);
    case "coalesce":
      for (let i = 0; i < node.args.length; i++) {
        const v = arg(i);
        if (!blank(v)) {
          return v;
        }
      }
      return none;
    case "regex":
      return bool(node.pattern?.matches(asText(arg(0))) ?? false);
    default:
      return worked(node.name, node.args.map((_, i) => arg(i)));
  }
}

/** Works a function out whose arguments are all looked at. */
function worked(name: Exclude<FunctionName, "if" | "coalesce" | "regex">, args: readonly Value[]): Value {
  const v = args[0] ?? none;
  const second = args[1] ?? none;
  switch (name) {
    case "not":
      return bool(!holds(v));
    case "boolean":
      return bool(holds(v));
    case "number":
      return number(asNumber(v));
    case "int":
      return mapped(v, (x) => fraction(truncated(x)));
    case "round":
      return rounded(v, args.length > 1 ? second : whole(0));
    case "abs":
      return mapped(v, (x) => fraction(x.n < 0n ? -x.n : x.n, x.d));
    case "min":
      return outermost(args, -1);
    case "max":
      return outermost(args, 1);
    case "string":
      return text(asText(v));
    case "string-length":
      return whole([...asText(v)].length);
    case "substr":
      return text(cut([...asText(v)], args));
    case "concat":
      return text(args.map(asText).join(""));
    case "contains":
      return bool(asText(v).includes(asText(second)));
    case "starts-with":
      return bool(asText(v).startsWith(asText(second)));
    case "ends-with":
      return bool(asText(v).endsWith(asText(second)));
    case "selected":
      return bool(selected(v, asText(second)));
    case "count-selected":
      return whole(members(v).length);
    case "selected-at":
      return text(members(v).find((_, i) => same(whole(i), second)) ?? "");
    case "date":
      return dated(v);
    case "format-date":
      return text(formatted(v, asText(second)));
  }
}

function mapped(v: Value, f: (x: Fraction) => Fraction | null): Value {
  const x = asNumber(v);
  return x === null ? none : number(f(x));
}

function rounded(v: Value, decimals: Value): Value {
  const [x, d] = [asNumber(v), asNumber(decimals)];
  if (x === null || d === null || d.d !== 1n || d.n < 0n || d.n > 20n) {
    return none;
  }
  return number(fraction(scaledHalfUp(x, Number(d.n)), 10n ** d.n));
}

/** The least (-1) or the greatest (1) of the values that are numbers. */
function outermost(values: readonly Value[], side: number): Value {
  let best: Fraction | null = null;
  for (const v of values) {
    const x = asNumber(v);
    if (x !== null && (best === null || compareFractions(x, best) === side)) {
      best = x;
    }
  }
  return number(best);
}

/** Cuts from one place to before another, or the end. */
function cut(characters: readonly string[], args: readonly Value[]): string {
  const from = place(args[1] ?? none, characters.length);
  const to = args.length > 2 ? place(args[2] ?? none, characters.length) : characters.length;
  return from === null || to === null ? "" : characters.slice(from, Math.max(from, to)).join("");
}

/** A whole number, held within 0 and most. */
function place(v: Value, most: number): number | null {
  const x = asNumber(v);
  if (x === null || x.d !== 1n) {
    return null;
  }
  return x.n < 0n ? 0 : x.n > BigInt(most) ? most : Number(x.n);
}

function selected(v: Value, member: string): boolean {
  if (member === "") {
    return false;
  }
  return v.sort === "list" ? v.members.includes(member) : v.sort !== "null" && asText(v) === member;
}

function members(v: Value): readonly string[] {
  return v.sort === "list" ? v.members : blank(v) ? [] : [asText(v)];
}

function dated(v: Value): Value {
  if (v.sort === "number") {
    const n = v.x.d === 1n && v.x.n >= BigInt(FIRST_DAY) && v.x.n <= BigInt(LAST_DAY) ? Number(v.x.n) : null;
    return n === null ? none : date(dayNumbered(n));
  }
  return date(asDay(v));
}

function formatted(v: Value, format: string): string {
  const day = asDay(v);
  if (day === null) {
    return "";
  }
  return formatInstant(v.sort === "instant" ? v.at : startOf(day), format);
}
