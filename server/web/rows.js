// The rows behind a number: what counts, and how much of it each record is.

import { get } from "./api.js";
import { fieldOf, formOf, measureWord, plain } from "./book.js";
import { PAGE, el, empty, pages, table, tag, tags } from "./draw.js";
import { both, count, t } from "./say.js";
import { href, nameOf, state } from "./state.js";
import { marked, titleOf } from "./values.js";

export async function rows(summary) {
  const measure = summary.measures.find((m) => m.name === state.item);
  if (!measure) return [empty(t("noRows"))];
  const days = state.from ? { from: state.from, to: summary.day } : { day: summary.day };
  const ask = (after) => get(`/v1/areas/${state.area}/measures/${state.item}/rows`, { ...days, after, limit: PAGE });
  const first = await ask("");
  const list = await pages(async (after) => {
    const page = after === "" ? first : await ask(after);
    return { next: page.next ?? "", n: page.rows.length, node: page.rows.length > 0 ? found(page.rows, measure) : null };
  });
  return [
    el("p", {}, el("a", { href: href({ view: "" }) }, `‹ ${t("backToTotals")}`)),
    el("h2", {}, measureWord(measure.name)),
    el("div", { class: "rounds" }, el("div", { class: "card" }, el("span", { class: "n" }, count(measure.value), el("small", {}, t(`unit.${measure.unit}`))),
      el("span", { class: "l" }, summary.from ? `${summary.from} – ${summary.day}` : summary.day))),
    first.purged ? el("p", { class: "w" }, t("rowsPurged", { n: count(first.purged) })) : null, list,
  ].filter(Boolean);
}

// found is a page of records, each with what it adds to the number.
function found(list, measure) {
  const kind = measure.kind;
  const shown = (formOf(kind)?.fields ?? []).filter((f) => !f.retired && f.class !== "secret" && !["ref", "refs"].includes(f.type)).slice(0, 4).map((f) => f.name);
  return table(both(measure.label), [t("record"), ...shown.map((name) => both(fieldOf(kind, name).label)), t("area"), t("adds"), t("flags")], list.map((r) => el("tr", {},
    el("th", { scope: "row" }, el("a", { href: href({ tab: "Roster", kind, item: r.id }) }, titleOf({ ...r, kind }))),
    ...shown.map((name) => el("td", {}, marked(r.fields?.[name], plain(kind, name, r.fields?.[name])))),
    el("td", {}, nameOf(r.area)), el("td", {}, count(r.n ?? 1)), el("td", {}, ...tags(r.flags), r.exit ? tag(t("left")) : null))), true);
}
