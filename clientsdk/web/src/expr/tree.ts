import type { Pattern } from "./pattern.js";
import type { FieldType, Value } from "./value.js";

export type BinaryOp = "or" | "and" | "=" | "!=" | "<" | "<=" | ">" | ">=" | "+" | "-" | "*" | "div" | "mod";

/** A part of a formula. */
export type Node =
  | { readonly op: "literal"; readonly value: Value }
  | { readonly op: "field"; readonly name: string; readonly type: FieldType }
  | { readonly op: "self"; readonly type: FieldType }
  | { readonly op: "setting"; readonly name: string; readonly otherwise: Value }
  | { readonly op: "now" | "today" }
  | { readonly op: "negate"; readonly arg: Node }
  | { readonly op: "binary"; readonly by: BinaryOp; readonly left: Node; readonly right: Node }
  | { readonly op: "call"; readonly name: FunctionName; readonly args: readonly Node[]; readonly pattern?: Pattern };

const MANY = 20;

/** All functions besides true, false, setting, today and now: how many arguments they take. */
export const functions = {
  not: [1, 1],
  boolean: [1, 1],
  number: [1, 1],
  int: [1, 1],
  round: [1, 2],
  abs: [1, 1],
  min: [1, MANY],
  max: [1, MANY],
  string: [1, 1],
  "string-length": [1, 1],
  substr: [2, 3],
  concat: [1, MANY],
  contains: [2, 2],
  "starts-with": [2, 2],
  "ends-with": [2, 2],
  regex: [2, 2],
  selected: [2, 2],
  "count-selected": [1, 1],
  "selected-at": [2, 2],
  if: [3, 3],
  coalesce: [2, MANY],
  date: [1, 1],
  "format-date": [2, 2],
} as const satisfies Record<string, readonly [number, number]>;

export type FunctionName = keyof typeof functions;

export const isFunction = (name: string): name is FunctionName => Object.prototype.hasOwnProperty.call(functions, name);

/** The operators, those that bind least first; all go from left to right. */
export const levels: readonly (readonly BinaryOp[])[] = [["or"], ["and"], ["=", "!="], ["<", "<=", ">", ">="], ["+", "-"], ["*", "div", "mod"]];
