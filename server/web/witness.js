// Who says something: author, post, phone, and the three times.

import { el, table, tag } from "./draw.js";
import { has, lasting, moment, t } from "./say.js";
import { labelOf, saidMarked, short } from "./values.js";

// witness says who said something: author, post, device, and the three times.
export function witness(w) {
  const line = (label, text) => (text ? el("div", { class: "w" }, `${label} ${text}`) : null);
  const post = [w.role ? t(`role.${w.role}`) : "", w.post].filter(Boolean).join(" · ");
  const late = w.observed && w.entered.time - w.observed > 6 * 3600_000;
  return el("div", { class: "witness" }, el("b", {}, w.author.name || short(w.author.id)), post ? ` ${post}` : "",
    line(t("device"), w.device_name), line(t("observed"), w.observed ? moment(w.observed) : ""),
    line(t("entered"), `${moment(w.entered.time)} ${margin(w.entered)}${late ? ` · ${t("late")}` : ""}`),
    line(t("received"), w.received ? moment(w.received) : ""));
}

// margin is how far the corrected time may be off.
function margin(stamp) {
  if (!stamp.earliest) return "";
  return t("within", { n: lasting(Math.max(stamp.latest - stamp.time, stamp.time - stamp.earliest)) });
}

export const by = (witnesses) => [el("small", {}, witnesses.map((w) => w.author.name || short(w.author.id)).join("、"))];

// statements lists who said what, and what became of it.
export function statements(list, caption) {
  const words = (s) => Object.entries(s.fields).flatMap(([n, v], i) => [i > 0 ? "；" : "", `${labelOf(n, s.kind)} `, saidMarked(n, v, s.kind)]);
  return table(caption, [t("who"), t("entered"), t("what"), t("outcome")], list.map((s) => el("tr", {},
    el("th", { scope: "row" }, s.author.name || short(s.author.id)), el("td", { class: "short" }, `${moment(s.entered.time)} ${margin(s.entered)}`),
    el("td", { class: "wrap" }, ...words(s)),
    el("td", { class: "short" }, has(`verdict.${s.verdict}`) ? t(`verdict.${s.verdict}`) : s.verdict, " ",
      s.decides ? tag(t("decision")) : null, s.undone ? tag(t("what.undone")) : null))), true);
}

// people are those whom the case names, by id.
export function people(c) {
  const found = new Map();
  const add = (p) => p?.id && found.set(p.id, p.name);
  for (const row of c.records ?? []) for (const f of row.values) for (const v of f.values) v.witnesses.forEach((w) => add(w.author));
  for (const s of [c.waiting, ...(c.earlier ?? []), ...(c.window?.entered ?? [])]) add(s?.author);
  add(c.assignee);
  for (const h of c.history) add(h.by);
  return found;
}
export const personName = (c, id) => people(c).get(id) || short(id ?? "");
