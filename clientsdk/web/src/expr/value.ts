import { MAX, dayNumber, dayOf, formatDay, formatInstant, parseDay } from "./day.js";
import type { Fraction } from "./fraction.js";
import { compareFractions, decimalText, fraction, parseDecimal, parseJSONNumber } from "./fraction.js";

/** What a formula, or a part of it, comes to. A day is a number such as 20200131. */
export type Value =
  | { readonly sort: "null" }
  | { readonly sort: "bool"; readonly is: boolean }
  | { readonly sort: "number"; readonly x: Fraction }
  | { readonly sort: "text"; readonly s: string }
  | { readonly sort: "list"; readonly members: readonly string[] }
  | { readonly sort: "date"; readonly day: number }
  | { readonly sort: "instant"; readonly at: number };

/** How the values of a field are read. */
export type FieldType = "plain" | "date" | "time";

export const none: Value = { sort: "null" };
export const bool = (is: boolean): Value => ({ sort: "bool", is });
export const text = (s: string): Value => ({ sort: "text", s });
export const number = (x: Fraction | null): Value => (x === null ? none : { sort: "number", x });
export const whole = (n: number | bigint): Value => number(fraction(BigInt(n)));
export const date = (day: number | null): Value => (day === null ? none : { sort: "date", day });
export const instant = (at: number): Value => (at <= MAX && at >= -MAX ? { sort: "instant", at } : none);

/** The JSON text of a field's value; empty if nothing was written. */
export type JSONText = string;

/** Reads a field's value (R105). */
export function read(json: JSONText, type: FieldType): Value {
  const v = json.trim();
  if (v === "" || v === "null") {
    return none;
  }
  if (type === "date") {
    return date(parseDay(parseText(v) ?? ""));
  }
  if (type === "time") {
    const x = parseJSONNumber(v);
    return x !== null && x.d === 1n && x.n <= BigInt(MAX) && x.n >= -BigInt(MAX) ? instant(Number(x.n)) : none;
  }
  switch (v[0]) {
    case '"': {
      const s = parseText(v);
      return s === null ? none : text(s);
    }
    case "t":
    case "f":
      return bool(v === "true");
    case "[":
      return list(parsed(v));
    case "{":
      return added(parsed(v));
    default:
      return number(parseJSONNumber(v));
  }
}

/** What a JSON text holds; undefined if it is none. */
function parsed(json: JSONText): unknown {
  try {
    return JSON.parse(json) as unknown;
  } catch {
    return undefined;
  }
}

function parseText(json: JSONText): string | null {
  const s = parsed(json);
  return typeof s === "string" ? wellFormed(s) : null;
}

function list(x: unknown): Value {
  if (!Array.isArray(x) || x.length === 0) {
    return none;
  }
  const members: string[] = [];
  for (const member of x as readonly unknown[]) {
    if (typeof member !== "string") {
      return none;
    }
    members.push(wellFormed(member));
  }
  return { sort: "list", members };
}

/** What a change to a list adds. */
function added(x: unknown): Value {
  return typeof x === "object" && x !== null && "add" in x && Object.prototype.hasOwnProperty.call(x, "add") ? list(x.add) : none;
}

/** Puts U+FFFD in the place of lone surrogates. */
export function wellFormed(s: string): string {
  let out = "";
  for (const c of s) {
    const code = c.codePointAt(0) ?? 0;
    out += code >= 0xd800 && code <= 0xdfff ? "\ufffd" : c;
  }
  return out;
}

/** No answer, or an empty text. */
export const blank = (v: Value): boolean => v.sort === "null" || (v.sort === "text" && v.s === "");

/** What a condition makes of a value (R108). */
export function holds(v: Value): boolean {
  switch (v.sort) {
    case "null":
      return false;
    case "bool":
      return v.is;
    case "number":
      return v.x.n !== 0n;
    case "text":
      return v.s !== "";
    case "list":
    case "date":
    case "instant":
      return true;
  }
}

/** A value as a number; null if it is none (R106). */
export function asNumber(v: Value): Fraction | null {
  switch (v.sort) {
    case "number":
      return v.x;
    case "bool":
      return fraction(v.is ? 1n : 0n);
    case "date":
      return fraction(BigInt(dayNumber(v.day)));
    case "text":
    case "list":
      return parseDecimal(asText(v).replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, ""));
    case "null":
    case "instant":
      return null;
  }
}

/** How many decimals a number that has no end is written with. */
const PLACES = 12;

/** A value as a person would write it. */
export function asText(v: Value): string {
  switch (v.sort) {
    case "null":
      return "";
    case "bool":
      return String(v.is);
    case "number":
      return decimalText(v.x, PLACES);
    case "text":
      return v.s;
    case "list":
      return v.members.join(" ");
    case "date":
      return formatDay(v.day);
    case "instant":
      return formatInstant(v.at, "%Y-%m-%dT%H:%M:%S+08:00");
  }
}

/** The day of a date, of an instant, or of a text that is a date. */
export function asDay(v: Value): number | null {
  switch (v.sort) {
    case "date":
      return v.day;
    case "instant":
      return dayOf(v.at);
    case "text":
      return parseDay(v.s);
    default:
      return null;
  }
}

export const isMoment = (v: Value): boolean => v.sort === "date" || v.sort === "instant";

/** Orders two values: -1, 0 or 1; null if they can't be compared (R107). */
export function compare(a: Value, b: Value): number | null {
  if (a.sort === "null" || b.sort === "null") {
    return null;
  }
  if (a.sort === "instant" && b.sort === "instant") {
    return Math.sign(a.at - b.at);
  }
  if (isMoment(a) || isMoment(b)) {
    const [x, y] = [asDay(a), asDay(b)];
    return x === null || y === null ? null : Math.sign(x - y);
  }
  const [x, y] = [asNumber(a), asNumber(b)];
  return x === null || y === null ? null : compareFractions(x, y);
}

/** Whether two values are equal. */
export function same(a: Value, b: Value): boolean {
  if (blank(a) || blank(b)) {
    return blank(a) && blank(b);
  }
  const textual = (v: Value) => v.sort === "text" || v.sort === "list";
  if ((textual(a) && textual(b)) || (a.sort === "bool" && b.sort === "text") || (a.sort === "text" && b.sort === "bool")) {
    return asText(a) === asText(b);
  }
  return compare(a, b) === 0;
}

/** A value as JSON; a date is a text, and an instant a number. */
export function written(v: Value): JSONText {
  switch (v.sort) {
    case "null":
      return "null";
    case "bool":
    case "number":
      return asText(v);
    case "list":
      return quote(v.members);
    case "instant":
      return String(v.at);
    case "text":
    case "date":
      return quote(asText(v));
  }
}

/** JSON as Go writes it, with U+2028 and U+2029 escaped. */
function quote(x: string | readonly string[]): string {
  return JSON.stringify(x).replace(/[\u2028\u2029]/g, (c) => "\\u" + c.charCodeAt(0).toString(16));
}
