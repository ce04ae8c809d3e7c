import { decimalText } from "./fraction.js";
import type { Node } from "./tree.js";
import { levels } from "./tree.js";
import type { Value } from "./value.js";
import { asText } from "./value.js";

/** Writes a formula such that it reads the same again, with no more brackets than it needs. */
export function print(node: Node, level = 0): string {
  switch (node.op) {
    case "literal":
      return literal(node.value);
    case "field":
      return "${" + node.name + "}";
    case "self":
      return ".";
    case "setting":
      return `setting(${quoted(node.name)})`;
    case "now":
    case "today":
      return `${node.op}()`;
    case "negate":
      return "-" + print(node.arg, levels.length);
    case "call":
      return `${node.name}(${node.args.map((arg) => print(arg)).join(", ")})`;
    case "binary": {
      const own = levels.findIndex((ops) => ops.includes(node.by));
      const all = `${print(node.left, own)} ${node.by} ${print(node.right, own + 1)}`;
      return own < level ? `(${all})` : all;
    }
  }
}

function literal(v: Value): string {
  switch (v.sort) {
    case "bool":
      return asText(v) + "()";
    case "number":
      return decimalText(v.x, 20);
    default:
      return quoted(asText(v));
  }
}

/** Puts a text in the quotes that it doesn't hold: none holds both. */
const quoted = (s: string): string => (s.includes("'") ? `"${s}"` : `'${s}'`);
