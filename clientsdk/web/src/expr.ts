/**
 * The one language in which forms say when a field is asked, what an answer must be, what
 * raises a flag and what counts: a subset of XPath as XLSForm uses it. Rules R104 to R113 of
 * syncproto/SPEC.md; the Go package syncproto/expr reads the same. A formula is a pure
 * function of what it is given; it always ends and never throws.
 */
import type { Scope } from "./expr/evaluate.js";
import { evaluate } from "./expr/evaluate.js";
import type { Names } from "./expr/parse.js";
import { parseTree } from "./expr/parse.js";
import { print } from "./expr/print.js";
import type { Node } from "./expr/tree.js";
import type { JSONText } from "./expr/value.js";
import { holds, written } from "./expr/value.js";

export type { Scope } from "./expr/evaluate.js";
export type { Names } from "./expr/parse.js";
export type { Text } from "./expr/problem.js";
export { Problem } from "./expr/problem.js";
export type { FieldType, JSONText } from "./expr/value.js";

/** A formula. It is never altered. */
export class Expr {
  private constructor(private readonly root: Node) {}

  /** Reads a formula. It throws a Problem, and nothing else. */
  static parse(source: string, names: Names): Expr {
    return new Expr(parseTree(source, names));
  }

  /** Whether a formula is true: not null, false, 0, nor an empty text. */
  holds(scope: Scope): boolean {
    return holds(evaluate(this.root, scope));
  }

  /** What a formula comes to, as JSON text. A date is a text, and an instant a number. */
  value(scope: Scope): JSONText {
    return written(evaluate(this.root, scope));
  }

  /** Writes a formula such that it reads the same again. */
  toString(): string {
    return print(this.root);
  }
}
