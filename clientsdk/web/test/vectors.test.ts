import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

import type { FieldType, JSONText, Names, Scope } from "../src/expr.js";
import { Expr, Problem } from "../src/expr.js";

// The vectors that Go runs, too: testdata/README.md tells their shape.
const vectors = new URL("../../../../testdata/vectors/", import.meta.url);

/** The kinds that this client has learned; those of others are left to who has. */
const kinds: Readonly<Record<string, (input: Members) => { expect: string; output: unknown }>> = { expr: runExpr };

type Members = ReadonlyMap<string, unknown>;

/** An object's members; it fails on any that nobody knows. */
function members(x: unknown, known: readonly string[], what: string): Members {
  assert.ok(typeof x === "object" && x !== null && !Array.isArray(x), `${what} is no object`);
  const all = new Map(Object.entries(x as object));
  for (const name of all.keys()) {
    assert.ok(known.includes(name), `${what} has an unknown member ${name}`);
  }
  return all;
}

function textAt(m: Members, name: string): string {
  const x = m.get(name) ?? "";
  assert.ok(typeof x === "string", `${name} is no text`);
  return x as string;
}

/** An object of texts. */
function textsAt(m: Members, name: string): ReadonlyMap<string, string> {
  const all = new Map<string, string>();
  for (const [key, x] of Object.entries((m.get(name) ?? {}) as object)) {
    assert.ok(typeof x === "string", `${name}.${key} is no text`);
    all.set(key, x as string);
  }
  return all;
}

function runExpr(input: Members): { expect: string; output: unknown } {
  const fields = textsAt(input, "fields");
  const types = textsAt(input, "types");
  const settings = textsAt(input, "settings");
  const defaults = textsAt(input, "defaults");
  const more = (input.get("names") ?? []) as readonly string[];
  const typeOf = (name: string): FieldType => {
    const type = types.get(name) ?? "plain";
    assert.ok(type === "plain" || type === "date" || type === "time", `type ${type}`);
    return type as FieldType;
  };
  const names: Names = {
    field: (name) => (fields.has(name) || types.has(name) || more.includes(name) ? typeOf(name) : null),
    self: typeOf("."),
    setting: (name) => defaults.get(name) ?? null,
  };
  const scope: Scope = {
    fields,
    self: textAt(input, "self"),
    now: Number(input.get("now") ?? 0),
    setting: (name): JSONText | null => settings.get(name) ?? null,
  };
  try {
    const e = Expr.parse(textAt(input, "expr"), names);
    const printed = e.toString();
    assert.equal(Expr.parse(printed, names).toString(), printed, "it is printed such that it reads the same");
    return { expect: "value", output: { holds: e.holds(scope), printed, value: e.value(scope) } };
  } catch (problem) {
    if (!(problem instanceof Problem)) {
      throw problem;
    }
    return { expect: "refused", output: { at: problem.at, near: problem.near, reason: problem.reason.en } };
  }
}

const inputs: Readonly<Record<string, readonly string[]>> = {
  expr: ["expr", "fields", "types", "names", "self", "now", "settings", "defaults"],
};

const ran = new Map<string, number>();
const files = readdirSync(vectors);
assert.ok(files.length > 0, "there are no vectors");
for (const file of files) {
  const all = members(JSON.parse(readFileSync(new URL(file, vectors), "utf8")), ["rule", "why", "way", "kind", "expect", "input", "output"], file);
  const kind = textAt(all, "kind");
  const run = kinds[kind];
  if (run === undefined) {
    continue;
  }
  ran.set(kind, (ran.get(kind) ?? 0) + 1);
  void test(file, () => {
    const got = run(members(all.get("input"), inputs[kind] ?? [], `${file}: input`));
    assert.equal(got.expect, textAt(all, "expect"), textAt(all, "why"));
    assert.deepEqual(got.output, all.get("output"), textAt(all, "why"));
  });
}

void test("EveryKindThatIsKnownHasVectors", () => {
  for (const kind of Object.keys(kinds)) {
    assert.ok((ran.get(kind) ?? 0) > 0, `no vector of kind ${kind}`);
  }
});
