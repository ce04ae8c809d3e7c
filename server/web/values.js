// What people entered, as people say it. A value that the reader isn't shown comes masked,
// as {"masked": "3301**********1234"}: it is marked so, and never offered for choosing.

import { fieldOf, fieldWord, kindWord, optionWord, plain, typeOf } from "./book.js";
import { el } from "./draw.js";
import { has, moment, t } from "./say.js";
import { COLUMNS, nameOf, state } from "./state.js";

const TIMES = new Set(["visited_at", "taken_at", "passed_at"]);
const SECRET = new Set(["mobile", "id_number"]);

export const isMasked = (v) => typeof v === "object" && v !== null && typeof v.masked === "string";
// Ids begin with the time at which they were made: their ends tell them apart.
export const short = (id) => `…${String(id).slice(-6)}`;
// labelOf is what a field is called: of kinds that the page has no columns of its own for, by
// their forms alone.
export const labelOf = (field, kind) => fieldWord(field, kind in COLUMNS ? "" : kind);

const word = (v) => (has(`v.${v}`) ? t(`v.${v}`) : optionWord(v) ?? String(v));

// value is a field's value in words.
export function value(field, v, mask) {
  if (v === undefined || v === null) return "";
  if (isMasked(v)) return v.masked || "***";
  if (field === "found" && Array.isArray(v)) return String(v.length);
  if (Array.isArray(v)) return v.map(word).join("、");
  if (field === "exit") return [word(v.reason), v.date, v.destination].filter(Boolean).join(" · ");
  if (typeof v === "object") return JSON.stringify(v);
  if (TIMES.has(field) || (typeof v === "number" && typeOf(field) === "time")) return moment(v);
  if (field === "value" || field === "temperature") return `${Number(v).toFixed(1)} °C`;
  if (mask && SECRET.has(field)) return `${String(v).slice(0, 3)}****${String(v).slice(-2)}`;
  return word(v);
}

// said is a value in words, where nothing is a word too; ids of records that are at hand
// become their names.
export function said(field, v, kind) {
  if (v === null || v === undefined) return field === "exit" ? t("there") : t("none");
  if (field === "area") return nameOf(v);
  if (Array.isArray(v) && v.some((m) => state.names?.has(m))) return v.map((m) => state.names.get(m) ?? short(m)).join("、");
  if (typeof v === "string" && state.names?.has(v)) return state.names.get(v);
  if (typeof v === "string" && /^[0-9a-f]{8}-[0-9a-f-]{27}$/.test(v)) return short(v);
  if (fieldOf(kind, field) && !(kind in COLUMNS)) return plain(kind, field, v) || t("none");
  return value(field, v, false) || t("none");
}

// marked puts the mark beside words that stand for a masked value.
export const marked = (v, words) =>
  (isMasked(v) ? el("span", { class: "masked" }, words, " ", el("small", { title: t("maskedWhy") }, t("masked"))) : words);

export const saidMarked = (field, v, kind) => marked(v, said(field, v, kind));

// folded is a value without what the ways of typing it add: full width, spaces, hyphens. A
// masked one is compared by its tag.
export const folded = (v) => (isMasked(v) ? { tag: v.tag } : typeof v === "string" ? v.normalize("NFKC").replace(/[\s-]/g, "") : v);
export const same = (a, b) => JSON.stringify(a ?? null) === JSON.stringify(b ?? null);

// comparable says whether it can be seen if two values agree.
export const comparable = (a, b) => isMasked(a) === isMasked(b) && (!isMasked(a) || Boolean(a.tag && b.tag));

// titleOf says in a few words which record it is.
export function titleOf(row) {
  if (!row) return "";
  const f = row.fields;
  const field = ["name", "address", "plate", "title", "about", "item"].find((n) => f[n]);
  if (field) return plain(row.kind, field, f[field]);
  const words = { temperature: ["value", "slot", "taken_at"], visit: ["outcome", "visited_at"], day_close: ["day"], observation: ["start"] }[row.kind] ?? [];
  return [kindWord(row.kind), ...words.map((w) => value(w, f[w], false))].filter(Boolean).join(" · ");
}
