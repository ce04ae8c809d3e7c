// The list of an area's records, taking it away as a file, and what is known of one of them.

import { get } from "./api.js";
import { fieldWord, formOf, kindWord, plain } from "./book.js";
import { PAGE, el, pages, picker, table, tag, tags } from "./draw.js";
import { record } from "./record.js";
import { t } from "./say.js";
import { COLUMNS, go, href, may, nameOf, state } from "./state.js";
import { takeAway } from "./takeaway.js";
import { marked, value } from "./values.js";

export async function roster() {
  if (state.item) return record(state.item);
  const kinds = picker(t("tab.Roster"), kindsShown().map((kind) => [`kind-${kind}`, kindWord(kind), kind === state.kind, () => go({ kind })]));
  const list = await pages(async (after) => {
    const { rows, next } = await get(`/v1/areas/${state.area}/roster`, { kind: state.kind, limit: PAGE, after });
    return { next: next ?? "", n: rows.length, node: rows.length > 0 ? rosterTable(rows) : null };
  });
  return [kinds, may("export") && state.me ? exporting() : null, list].filter(Boolean);
}

// exporting takes the list away, or what was recorded of the kind on the days shown.
function exporting() {
  const span = () => ({ kind: state.kind, from: state.from, to: state.day });
  return el("div", { class: "bulk" }, takeAway("roster", t("export"), () => ({ kind: state.kind })), takeAway("ledger", t("exportLedger"), span), el("small", {}, t("exportNote")));
}

// kindsShown are the kinds of which there may be a list: those that people record.
const kindsShown = () => [...Object.keys(COLUMNS), ...[...state.forms.values()].filter((f) => !f.decided && !(f.kind in COLUMNS)).map((f) => f.kind)];

// columnsOf are a kind's columns: the first of what its form asks, where nobody chose better.
const columnsOf = (kind) => COLUMNS[kind] ?? (formOf(kind)?.fields ?? [])
  .filter((f) => !f.retired && !f.calculate && f.class !== "secret" && !["ref", "refs"].includes(f.type)).slice(0, 6).map((f) => f.name);

function rosterTable(rows) {
  const columns = columnsOf(state.kind);
  const said = (c, v) => (state.kind in COLUMNS ? value(c, v, true) : plain(state.kind, c, v));
  const cell = (row, c) => marked(row.fields[c], said(c, row.fields[c]));
  return table(kindWord(state.kind), [...columns.map((c) => fieldWord(c, state.kind in COLUMNS ? "" : state.kind)), t("area"), t("flags")], rows.map((row) => el("tr", {},
    el("th", { scope: "row" }, el("a", { href: href({ item: row.id }) }, cell(row, columns[0]) || t("notShown")), doubted(row, columns[0])),
    ...columns.slice(1).map((c) => el("td", {}, cell(row, c), doubted(row, c))),
    el("td", {}, nameOf(row.area)),
    el("td", {}, ...tags(row.flags), row.exit ? tag(t("left")) : null))), true);
}

const doubted = (row, c) => (row.disputed?.[c] ? tag(t("disputed"), true) : null);
