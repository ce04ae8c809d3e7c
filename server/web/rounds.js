// Rounds: how far each has come, in four numbers; which households it has not reached; and
// two of them held against each other.

import { get } from "./api.js";
import { PAGE, choice, el, empty, labelled, listing, pages, picker, row, table, tag, tags } from "./draw.js";
import { entryForm, today } from "./entry.js";
import { count, moment, say, t } from "./say.js";
import { go, href, may, nameOf, state } from "./state.js";
import { takeAway } from "./takeaway.js";

export async function rounds() {
  const { rounds: found } = await get(`/v1/areas/${state.area}/rounds`);
  const all = [...found].sort((a, b) => (a.starts < b.starts ? -1 : a.starts > b.starts ? 1 : (a.number ?? 0) - (b.number ?? 0)));
  const [picked, other] = state.item.split("~");
  const current = all.find((r) => r.round === picked) ?? all.at(-1);
  if (!current) return [empty(t("noRoundsYet")), ...beginning()];
  const two = all.filter((r) => r.round === other || r.round === current.round);
  const out = [chooser(all, current), ...(two.length === 2 ? await compared(two[0].round, two[1].round) : await board(current, all))];
  return [...out, ...beginning()];
}

const chooser = (all, current) => picker(t("field.rounds"), all.map((r) => [`round-${r.round}`, r.name, r.round === current.round, () => go({ item: r.round })]));

// NUMBERS are the four, and what each is of the way that reached a household.
const NUMBERS = [["met", "met"], ["not_home", "not_home"], ["refused", "refused"], ["never_heard_of", "never"]];

async function board(current, all) {
  const r = await get(`/v1/areas/${state.area}/rounds/${current.round}`, { day: state.day });
  const share = (n) => (n.met_share === null || n.met_share === undefined ? "—" : `${n.met_share.toFixed(1)} %`);
  const card = (name) => el("div", { class: name === "never_heard_of" && r[name] > 0 ? "card alarm" : "card" },
    el("span", { class: "n" }, count(r[name]), el("small", {}, t("unit.household"))), el("span", { class: "l" }, t(`reached.${name}`)));
  const earlier = all.filter((one) => one.round !== current.round);
  const against = choice({ id: "against" }, [["", t("chooseRound")], ...earlier.map((one) => [one.round, one.name])]);
  against.addEventListener("change", () => against.value && go({ item: `${current.round}~${against.value}` }));
  return [
    el("p", { class: "w" }, [r.name, r.starts, r.ends ? `– ${r.ends}` : "", t("asOfDay", { day: r.day }), r.purged ? t("rowsPurged", { n: count(r.purged) }) : ""].filter(Boolean).join(" · ")),
    el("div", { class: "cards" }, el("div", { class: "card" }, el("span", { class: "n" }, count(r.households), el("small", {}, t("unit.household"))), el("span", { class: "l" }, t("inScope"))),
      ...NUMBERS.map(([name]) => card(name)), el("div", { class: "card" }, el("span", { class: "n" }, share(r)), el("span", { class: "l" }, t("metShare"))),
      el("div", { class: "card" }, el("span", { class: "n" }, count(r.people_met), el("small", {}, t("unit.person"))), el("span", { class: "l" }, t("met")))),
    (r.children ?? []).length > 0 ? table(t("byArea"), [t("area"), t("inScope"), ...NUMBERS.map(([name]) => t(`reached.${name}`)), t("metShare")], r.children.map((c) => el("tr", { class: c.direct ? "direct" : false },
      el("th", { scope: "row" }, c.direct ? `${c.name}（${t("direct")}）` : el("a", { href: href({ area: c.area, item: current.round }) }, c.name)),
      ...["households", ...NUMBERS.map(([name]) => name)].map((name) => el("td", { class: c[name] === 0 ? "zero" : false }, count(c[name]))),
      el("td", {}, share(c))))) : null,
    earlier.length > 0 ? el("div", { class: "bulk" }, labelled(t("compareWith"), against)) : null,
    ...(may("read") ? [el("h2", {}, t("notReached")), await households(current.round)] : []),
  ].filter(Boolean);
}

// households are those that a round has not reached, by grid.
async function households(round) {
  const ways = NUMBERS.map(([, way]) => way).filter((way) => way !== "met");
  const asked = ways.includes(state.about) ? state.about : "never";
  const holder = el("div");
  const show = async (way) => {
    holder.replaceChildren(await pages(async (after) => {
      const page = await get(`/v1/areas/${state.area}/rounds/${round}/households`, { reached: way, day: state.day, after, limit: PAGE });
      return { next: page.next ?? "", n: page.households.length, node: page.households.length === 0 ? empty(t("noRows")) : listing(t("notReached"),
        [t("householdAt"), t("headOf"), t("area"), t("status")], page.households.map((h) => row(
          el("a", { href: href({ tab: "Roster", kind: "household", item: h.household }) }, h.address || t("notShown")), h.head ?? "", h.area_name,
          [tag(t(`way.${h.reached}`), h.reached !== "met"), h.visits ? ` ${t("visitsN", { n: h.visits })}` : ""]))) };
    }));
  };
  await show(asked);
  const pick = choice({ id: "ways" }, ways.map((way) => [way, t(`way.${way}`)]), asked);
  pick.addEventListener("change", () => show(pick.value).catch((error) => say(t("failed", { why: error.message }), true)));
  return el("div", {}, el("div", { class: "bulk" }, labelled(t("status"), pick)), holder);
}

// compared holds two rounds against each other: households, and who was met only later.
async function compared(a, b) {
  const [turns, first, { only, returnees }] = await Promise.all([
    get(`/v1/areas/${state.area}/rounds/${a}/turns/${b}`), get(`/v1/rounds/${a}/diff/${b}`, { area: state.area, limit: PAGE }), lateCounts(a, b)]);
  const card = (label, n, note) => el("div", { class: "card" },
    el("span", { class: "n" }, count(n), el("small", {}, t("unit.person"))), el("span", { class: "l" }, label), note ? el("span", { class: "l" }, ` · ${note}`) : null);
  const share = first.b.met === 0 ? "—" : `${((100 * only) / first.b.met).toFixed(1)} %`;
  return [
    el("p", {}, el("a", { href: href({ item: b }) }, `‹ ${t("back")}`)),
    el("div", { class: "rounds" }, card(`${first.a.name} · ${t("met")}`, first.a.met), card(`${first.b.name} · ${t("met")}`, first.b.met),
      card(t("onlySecond"), only, t("ofSecond", { share })), card(`${t("onlySecond")} · ${t("flag.returnee")}`, returnees)),
    ...(turns.turns.length > 0 ? [el("h2", {}, t("householdTurns")), listing(t("householdTurns"), [first.a.name, first.b.name, t("unit.household")], turns.turns.map((x) => row(
      t(`way.${x.a}`), tag(t(`way.${x.b}`), x.b !== "met"), count(x.households))))] : []),
    el("h2", {}, t("lateFinds")),
    el("div", { class: "bulk" }, takeAway("rounds", t("exportList"), () => ({ a, b }))),
    await pages(async (after) => {
      const page = after === "" ? first : await get(`/v1/rounds/${a}/diff/${b}`, { area: state.area, limit: PAGE, after });
      return { next: page.next ?? "", n: page.only_b.length, node: page.only_b.length > 0 ? lateTable(page.only_b) : null };
    }),
  ].filter(Boolean);
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

// beginning asks for a round of one's own.
function beginning() {
  if (!state.me || !may("write")) return [];
  return [el("details", { class: "over" }, el("summary", {}, t("beginRound")),
    entryForm({ kind: "round", names: ["name", "number", "starts", "ends", "tenures", "note"], preset: { starts: today() }, title: t("beginRound") }))];
}
