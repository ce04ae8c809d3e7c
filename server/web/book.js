// What forms call things. Kinds, fields, choices, flags and measures are called as the forms
// in force call them: a question that was published a minute ago has its words at once.

import { get } from "./api.js";
import { both, has, moment, t } from "./say.js";
import { nameOf, state } from "./state.js";

// learn reads the forms in force.
export async function learn() {
  const { definitions } = await get("/v1/forms", { definitions: true });
  state.forms = new Map(definitions.map((d) => [d.kind, d.definition]));
}

export const formOf = (kind) => state.forms.get(kind);
export const fieldOf = (kind, name) => formOf(kind)?.fields.find((f) => f.name === name);

// kindWord is what a kind of record is called.
export function kindWord(kind) {
  if (has(`kind.${kind}`)) return t(`kind.${kind}`);
  return formOf(kind) ? both(formOf(kind).label) : kind;
}

// fieldWord is what a field is called: by the kind's form, by the page, or by any form.
export function fieldWord(name, kind) {
  const own = kind && fieldOf(kind, name);
  if (own) return both(own.label);
  if (has(`f.${name}`)) return t(`f.${name}`);
  const any = anywhere((f) => f.fields.find((one) => one.name === name));
  return any ? both(any.label) : name;
}

// typeOf is the type of a field of that name, in the first form that has one.
export const typeOf = (name) => anywhere((f) => f.fields.find((one) => one.name === name))?.type;

// flagWord and checkWord are what alarms and doubts are called.
export function flagWord(name) {
  if (has(`flag.${name}`)) return t(`flag.${name}`);
  const any = anywhere((f) => f.flags?.find((one) => one.name === name));
  return any ? both(any.label) : name;
}

export function checkWord(name) {
  if (has(`check.${name}`)) return t(`check.${name}`);
  const any = anywhere((f) => f.checks?.find((one) => one.name === name));
  return any ? both(any.label) : name;
}

// optionWord is what a choice is called, by the kind's form or by any; undefined for none.
export function optionWord(code, name, kind) {
  const of = (field) => field?.choices?.find((o) => o.code === code);
  const found = of(kind && fieldOf(kind, name)) ?? anywhere((f) => of(f.fields.find((one) => one.name === name)))
    ?? anywhere((f) => f.fields.map(of).find(Boolean));
  return found && both(found.label);
}

// measureWord is what a measure is called.
export function measureWord(name) {
  const any = anywhere((f) => f.measures?.find((m) => m.name === name));
  return any ? both(any.label) : name;
}

function anywhere(find) {
  for (const f of state.forms.values()) {
    const found = find(f);
    if (found) return found;
  }
  return undefined;
}

// plain is a value of a kind's field in words, as its type is said.
export function plain(kind, name, v) {
  const field = fieldOf(kind, name);
  if (v === undefined || v === null) return "";
  if (typeof v === "object" && typeof v.masked === "string") return v.masked || "***";
  if (Array.isArray(v)) return v.map((one) => state.names?.get(one) ?? optionWord(one, name, kind) ?? String(one)).join("、");
  switch (field?.type) {
    case "time": return moment(v);
    case "boolean": return t(v ? "v.true" : "v.false");
    case "choice": return optionWord(v, name, kind) ?? String(v);
    case "area": return nameOf(v);
    case "ref": return state.names?.get(v) ?? `…${String(v).slice(-6)}`;
    case "integer": case "decimal": return field.unit ? `${v} ${field.unit}` : String(v);
    default: return typeof v === "object" ? JSON.stringify(v) : String(v);
  }
}
