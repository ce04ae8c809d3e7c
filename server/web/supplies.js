// Supplies: what came, what was given out, what should be left; to whom it went.

import { get } from "./api.js";
import { PAGE, el, empty, listing, pages, row, table } from "./draw.js";
import { entryForm, today } from "./entry.js";
import { both, count, t } from "./say.js";
import { href, may, nameOf, state } from "./state.js";
import { short } from "./values.js";

const MOVES = ["received", "donated", "issued", "returned", "spoiled"];

export async function supplies() {
  const ask = (after) => get(`/v1/areas/${state.area}/supplies`, { day: state.day, after, limit: PAGE });
  const first = await ask("");
  const called = (i) => i.name || both(i.label ?? { zh: i.item, en: i.item });
  const issued = await pages(async (after) => {
    const found = after === "" ? first : await ask(after);
    return { next: found.next ?? "", n: found.issued.length, node: found.issued.length === 0 ? empty(t("nothingIssued")) : listing(t("issuedTo"), [t("day"), t("item"), t("quantity"), t("who"), t("area")], found.issued.map((i) => row(
      i.day, el("a", { href: href({ tab: "Roster", kind: "supply", item: i.record }) }, i.name || both(first.items.find((x) => x.item === i.item)?.label ?? { zh: i.item, en: i.item })), `${count(i.quantity)} ${i.unit ?? ""}`,
      i.person || i.household ? el("a", { href: href({ tab: "Roster", kind: i.person ? "person" : "household", item: i.person ?? i.household }) }, i.to || short(i.person ?? i.household)) : "", nameOf(i.area)))) };
  });
  return [
    first.items.length === 0 ? empty(t("noSupplies")) : table(`${nameOf(first.area)} · ${first.day}`, [t("item"), t("stock"), ...MOVES.map((m) => t(`moved.${m}`)), t("countedOn")], first.items.map((i) => el("tr", {},
      el("th", { scope: "row" }, called(i), i.unit ? el("small", {}, ` ${i.unit}`) : ""), el("td", { class: i.stock < 0 ? "alarm" : false }, count(i.stock)),
      ...MOVES.map((m) => el("td", { class: i[m] === 0 ? "zero" : false }, count(i[m]))), el("td", {}, i.counted_on ?? "—")))),
    ...shares(first, called), el("h2", {}, t("issuedTo")), issued,
    state.me && may("write") ? el("details", { class: "over" }, el("summary", {}, t("enterSupply")), entryForm({
      kind: "supply", names: ["item", "item_name", "movement", "quantity", "unit", "day", "donor", "note"], preset: { day: today() }, title: t("enterSupply") })) : null,
  ].filter(Boolean);
}

// shares are the stocks of the areas below, where there are several.
function shares(ledger, called) {
  const spread = ledger.items.filter((i) => (i.areas ?? []).length > 1);
  if (spread.length === 0) return [];
  return [el("details", { class: "over" }, el("summary", {}, t("stockByArea")), listing(t("stockByArea"), [t("item"), t("area"), t("stock"), t("countedOn")],
    spread.flatMap((i) => i.areas.map((a) => row(called(i), a.name, count(a.stock), a.counted_on ?? "—")))))];
}
