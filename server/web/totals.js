// How many there are, in an area and in those below it: on a day or over several, as they
// went from day to day, and as they may be published. Every number opens to its rows.

import { get } from "./api.js";
import { kindWord } from "./book.js";
import { multiples } from "./charts.js";
import { el, empty, labelled, picker, table } from "./draw.js";
import { rows } from "./rows.js";
import { both, count, dayOf, dayStart, t } from "./say.js";
import { COLUMNS, go, href, may, state } from "./state.js";
import { takeAway } from "./takeaway.js";

const ALARMS = new Set(["fevers", "passage_fevers", "returnees", "breaches"]);

// numberCell is a number in a table, which opens to its rows; null is one that isn't
// published.
function numberCell(n, measure, area) {
  if (n === null) return el("td", { class: "withheld" }, t("withheld"));
  const mayOpen = area && n !== 0 && may("read", area);
  return el("td", { class: n === 0 ? "zero" : ALARMS.has(measure.name) ? "alarm" : false },
    mayOpen ? el("a", { href: href({ area, view: "rows", item: measure.name }) }, count(n)) : count(n));
}

// sections are the measures of one kind of record after the other, in the order in
// which people ask for them.
function sections(measures) {
  const order = [...Object.keys(COLUMNS), ...state.forms.keys()];
  const indexes = measures.map((_, i) => i);
  indexes.sort((a, b) => order.indexOf(measures[a].kind) - order.indexOf(measures[b].kind) || a - b);
  return indexes;
}

const VIEWS = { "": now, series, published };

export async function totals(summary) {
  if (state.view === "rows") return rows(summary);
  const names = { "": "countsHere", series: "countsSeries", published: "countsPublished" };
  const view = state.view in VIEWS ? state.view : "";
  const views = picker(t("tab.Totals"), Object.keys(VIEWS).map((name) => [`totals-${name || "all"}`, t(names[name]), name === view, () => go({ view: name })]));
  return [views, ...(view === "published" ? [] : [spanForm(summary, view)]), ...await VIEWS[view](summary)];
}

// spanForm asks over which days.
function spanForm(summary, view) {
  const from = el("input", { id: "span-from", type: "date", value: state.from || "", max: summary.day });
  const set = (value) => go({ from: value });
  const back = (n) => () => set(dayOf(dayStart(summary.day) - n * 86400_000));
  from.addEventListener("change", () => set(from.value));
  const days = (n) => el("button", { type: "button", id: `span-${n}`, "aria-pressed": String(state.from === dayOf(dayStart(summary.day) - (n - 1) * 86400_000)), onclick: back(n - 1) }, t("lastDays", { n }));
  return el("div", { class: "bulk spans" }, labelled(t("fromDay"), from), el("span", {}, t("toDay", { day: summary.day })),
    days(7), days(14), days(30), state.from ? el("button", { type: "button", id: "span-none", onclick: () => set("") }, t("oneDay")) : null,
    view === "" ? takeAway("daily", t("exportReport"), () => ({ day: summary.day })) : null);
}

function now(summary) {
  return figures(summary, t(summary.from ? "spanNote" : "standingNote", { from: summary.from, to: summary.day }));
}

// series are the same numbers day by day: of the last thirty days if nothing is said.
async function series(summary) {
  const from = state.from || dayOf(dayStart(summary.day) - 29 * 86400_000);
  const found = await get(`/v1/areas/${state.area}/series`, { from, to: summary.day });
  return multiples(found, (measure) => href({ view: "rows", item: measure, from }));
}

// published are the numbers as they may be passed on: where few people are counted there is
// no number, and as many more are left out as it takes that none can be worked out.
async function published(summary) {
  const found = await get(`/v1/areas/${state.area}/published`, { day: state.day });
  const kinds = new Map(summary.measures.map((m) => [m.name, m.kind]));
  return figures({ ...found, area: "", measures: found.measures.map((m) => ({ ...m, kind: kinds.get(m.name) })) }, t("publishedNote", { n: found.small }));
}

function figures(summary, note) {
  const order = sections(summary.measures);
  const measures = order.map((i) => summary.measures[i]);
  const out = [];
  const idle = [...new Set(measures.map((m) => m.kind))].filter((kind) => measures.every((m) => m.kind !== kind || m.value === 0));
  for (const kind of new Set(measures.map((m) => m.kind))) {
    if (idle.includes(kind)) continue;
    const ratios = (summary.ratios ?? []).filter((r) => r.kind === kind && r.share !== null);
    out.push(el("h2", {}, kindWord(kind)), el("div", { class: "cards" },
      ...measures.filter((m) => m.kind === kind).map((m) => card(m, summary.area)), ...ratios.map(shareCard)));
  }
  if (idle.length > 0) out.push(el("p", { class: "w" }, t("allZero", { what: measures.filter((m) => idle.includes(m.kind)).map((m) => both(m.label)).join("、") })));
  out.push(empty(note));
  const lines = (summary.children ?? []).map((child) => ({ ...child, values: order.map((i) => child.values[i]) }));
  if (lines.length > 0) out.push(el("h2", {}, t("byArea")), byArea(summary, measures, lines));
  return out;
}

function card(m, area) {
  const alarm = ALARMS.has(m.name) && m.value > 0;
  const inside = [el("span", { class: "n" }, m.value === null ? t("withheld") : count(m.value), el("small", {}, t(`unit.${m.unit}`))), el("span", { class: "l" }, both(m.label))];
  if (!area || !m.value || !may("read", area)) return el("div", { class: alarm ? "card alarm" : "card" }, ...inside);
  return el("a", { class: alarm ? "card alarm" : "card", href: href({ view: "rows", item: m.name }) }, ...inside);
}

const shareCard = (r) => el("div", { class: "card" }, el("span", { class: "n" }, `${r.share.toFixed(1)} %`), el("span", { class: "l" }, both(r.label)));

// byArea puts across whichever is fewer: areas or measures.
function byArea(summary, measures, lines) {
  const caption = `${summary.name} · ${summary.from ? `${summary.from} – ` : ""}${summary.day}`;
  const label = (m) => `${both(m.label)}（${t(`unit.${m.unit}`)}）`;
  const link = (line) => (line.direct ? `${line.name}（${t("direct")}）` : el("a", { href: href({ area: line.area }) }, line.name));
  const opens = (line) => (summary.area && !line.direct ? line.area : "");
  if (lines.length < measures.length) {
    return table(caption, [t("measure"), t("total"), ...lines.map(link)], measures.flatMap((m, i) => (m.value === 0 && lines.every((line) => line.values[i] === 0) ? [] : el("tr", {},
      el("th", { scope: "row" }, label(m)), numberCell(m.value, m, summary.area), ...lines.map((line) => numberCell(line.values[i], m, opens(line)))))));
  }
  const found = lines.map((line) => el("tr", { class: line.direct ? "direct" : false },
    el("th", { scope: "row" }, link(line)), ...line.values.map((n, i) => numberCell(n, measures[i], opens(line)))));
  found.push(el("tr", { class: "total" }, el("th", { scope: "row" }, t("total")), ...measures.map((m) => numberCell(m.value, m, summary.area))));
  return table(caption, [t("area"), ...measures.map(label)], found);
}
