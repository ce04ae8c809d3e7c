// Two rounds held against each other: who was met only in the second.

import { get } from "./api.js";
import { PAGE, el, empty, pages, row, table, tags } from "./draw.js";
import { count, moment, t } from "./say.js";
import { nameOf, state } from "./state.js";

// allRounds lists the rounds that the reader may see, by number.
async function allRounds() {
  const tops = state.areas.filter((a) => !state.byId.has(a.parent));
  const pages = await Promise.all(tops.map((a) => get(`/v1/areas/${a.id}/roster`, { kind: "round" })));
  return pages.flatMap((p) => p.rows).sort((a, b) => (a.fields.number ?? 0) - (b.fields.number ?? 0));
}

export async function rounds() {
  const all = await allRounds();
  if (all.length < 2) return [empty(t("noRounds"))];
  const [a, b] = all.slice(-2);
  const ask = (after) => get(`/v1/rounds/${a.id}/diff/${b.id}`, { area: state.area, limit: PAGE, after });
  const diff = await ask("");
  const { only, returnees } = await lateCounts(a.id, b.id);
  const card = (label, n, note) => el("div", { class: "card" },
    el("span", { class: "n" }, count(n), el("small", {}, t("unit.person"))), el("span", { class: "l" }, label),
    note ? el("span", { class: "l" }, ` · ${note}`) : null);
  const share = diff.b.met === 0 ? "—" : `${((100 * only) / diff.b.met).toFixed(1)} %`;
  return [
    el("div", { class: "rounds" }, card(`${diff.a.name} · ${t("met")}`, diff.a.met), card(`${diff.b.name} · ${t("met")}`, diff.b.met),
      card(t("onlySecond"), only, t("ofSecond", { share })), card(`${t("onlySecond")} · ${t("flag.returnee")}`, returnees)),
    el("h2", {}, t("lateFinds")),
    await pages(async (after) => {
      const page = after === "" ? diff : await ask(after);
      return { next: page.next ?? "", n: page.only_b.length, node: page.only_b.length > 0 ? lateTable(page.only_b) : null };
    }),
  ];
}

// lateCounts counts the late finds, and the returnees among them, by reading all
// of them.
async function lateCounts(a, b) {
  const sum = { only: 0, returnees: 0 };
  for (let after = ""; ;) {
    const page = await get(`/v1/rounds/${a}/diff/${b}`, { area: state.area, limit: 500, after });
    sum.only += page.only_b.length;
    sum.returnees += page.only_b.filter((f) => f.flags?.includes("returnee")).length;
    if (!page.next) return sum;
    after = page.next;
  }
}

function lateTable(found) {
  return table(t("lateFinds"), [t("name"), t("area"), t("finder"), t("when"), t("flags")], found.map((f) => row(f.name || t("notShown"),
    nameOf(f.area), f.finder_name ?? "", moment(f.at), tags(f.flags))), true);
}
