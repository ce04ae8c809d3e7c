// How many there are, in an area and in those below it: as they are for those who may see
// them, and as they may be published.

import { get } from "./api.js";
import { el, empty, picker, table } from "./draw.js";
import { both, count, t } from "./say.js";
import { COLUMNS, go, href, state } from "./state.js";

const ALARMS = new Set(["fevers", "passage_fevers", "returnees"]);

// numberCell is a number in a table; null is one that isn't published.
const numberCell = (n, measure) => (n === null ? el("td", { class: "withheld" }, t("withheld"))
  : el("td", { class: n === 0 ? "zero" : ALARMS.has(measure.name) ? "alarm" : false }, count(n)));

// sections are the measures of one kind of record after the other, in the order in
// which people ask for them.
function sections(measures) {
  const order = Object.keys(COLUMNS);
  const indexes = measures.map((_, i) => i);
  indexes.sort((a, b) => order.indexOf(measures[a].kind) - order.indexOf(measures[b].kind) || a - b);
  return indexes;
}

export async function totals(summary) {
  const open = state.view === "published";
  const views = picker(t("tab.Totals"), [["totals-all", t("countsHere"), !open, () => go({ view: "" })], ["totals-published", t("countsPublished"), open, () => go({ view: "published" })]]);
  return [views, ...(open ? await published(summary) : figures(summary, t("standingNote")))];
}

// published are the numbers as they may be passed on: where few people are counted there is
// no number, and as many more are left out as it takes that none can be worked out.
async function published(summary) {
  const found = await get(`/v1/areas/${state.area}/published`, { day: state.day });
  const kinds = new Map(summary.measures.map((m) => [m.name, m.kind]));
  return figures({ ...found, measures: found.measures.map((m) => ({ ...m, kind: kinds.get(m.name) })) }, t("publishedNote", { n: found.small }));
}

function figures(summary, note) {
  const order = sections(summary.measures);
  const measures = order.map((i) => summary.measures[i]);
  const out = [];
  for (const kind of new Set(measures.map((m) => m.kind))) {
    out.push(el("h2", {}, t(`kind.${kind}`)), el("div", { class: "cards" }, ...measures.filter((m) => m.kind === kind).map(card)));
  }
  out.push(empty(note));
  const lines = (summary.children ?? []).map((child) => ({ ...child, values: order.map((i) => child.values[i]) }));
  if (lines.length > 0) out.push(el("h2", {}, t("byArea")), byArea(summary, measures, lines));
  return out;
}

const card = (m) => el("div", { class: ALARMS.has(m.name) && m.value > 0 ? "card alarm" : "card" },
  el("span", { class: "n" }, m.value === null ? t("withheld") : count(m.value), el("small", {}, t(`unit.${m.unit}`))), el("span", { class: "l" }, both(m.label)));

// byArea puts across whichever is fewer: areas or measures.
function byArea(summary, measures, lines) {
  const caption = `${summary.name} · ${summary.day}`;
  const label = (m) => `${both(m.label)}（${t(`unit.${m.unit}`)}）`;
  const link = (line) => (line.direct ? `${line.name}（${t("direct")}）` : el("a", { href: href({ area: line.area }) }, line.name));
  if (lines.length < measures.length) {
    return table(caption, [t("measure"), t("total"), ...lines.map(link)], measures.map((m, i) => el("tr", {},
      el("th", { scope: "row" }, label(m)), numberCell(m.value, m), ...lines.map((line) => numberCell(line.values[i], m)))));
  }
  const rows = lines.map((line) => el("tr", { class: line.direct ? "direct" : false },
    el("th", { scope: "row" }, link(line)), ...line.values.map((n, i) => numberCell(n, measures[i]))));
  rows.push(el("tr", { class: "total" }, el("th", { scope: "row" }, t("total")), ...measures.map((m) => numberCell(m.value, m))));
  return table(caption, [t("area"), ...measures.map(label)], rows);
}
