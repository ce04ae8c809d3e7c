// The list of an area's records, taking it away as a file, and what is known of one of them.

import { download, get } from "./api.js";
import { PAGE, deed, el, pages, picker, table, tag, tags } from "./draw.js";
import { record } from "./record.js";
import { say, t } from "./say.js";
import { COLUMNS, go, href, may, nameOf, state } from "./state.js";
import { marked, value } from "./values.js";

export async function roster() {
  if (state.item) return record(state.item);
  const kinds = picker(t("tab.Roster"), Object.keys(COLUMNS).map((kind) => [`kind-${kind}`, t(`kind.${kind}`), kind === state.kind, () => go({ kind })]));
  const list = await pages(async (after) => {
    const { rows, next } = await get(`/v1/areas/${state.area}/roster`, { kind: state.kind, limit: PAGE, after });
    return { next: next ?? "", n: rows.length, node: rows.length > 0 ? rosterTable(rows) : null };
  });
  return [kinds, may("export") && state.me ? exporting() : null, list].filter(Boolean);
}

function exporting() {
  return el("div", { class: "bulk" }, deed(t("export"), async () => {
    say(t("loading"));
    const { blob, name } = await download(`/v1/areas/${state.area}/roster.csv`, { kind: state.kind, lang: state.english ? "en" : "zh" });
    const address = URL.createObjectURL(blob);
    el("a", { href: address, download: name ?? `${state.area}-${state.kind}.csv` }).click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
    say(t("exported"));
  }), el("small", {}, t("exportNote")));
}

function rosterTable(rows) {
  const columns = COLUMNS[state.kind];
  const cell = (row, c) => marked(row.fields[c], value(c, row.fields[c], true));
  return table(t(`kind.${state.kind}`), [...columns.map((c) => t(`f.${c}`)), t("area"), t("flags")], rows.map((row) => el("tr", {},
    el("th", { scope: "row" }, el("a", { href: href({ item: row.id }) }, cell(row, columns[0]) || t("notShown")), doubted(row, columns[0])),
    ...columns.slice(1).map((c) => el("td", {}, cell(row, c), doubted(row, c))),
    el("td", {}, nameOf(row.area)),
    el("td", {}, ...tags(row.flags), row.exit ? tag(t("left")) : null))), true);
}

const doubted = (row, c) => (row.disputed?.[c] ? tag(t("disputed"), true) : null);
