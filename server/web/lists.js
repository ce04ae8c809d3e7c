// Lists that come down and results that go up: sending one, how far each is, what came of
// each row.

import { get } from "./api.js";
import { fieldOf, optionWord } from "./book.js";
import { PAGE, choice, deed, el, empty, labelled, listing, pages, picker, row, sure, tag } from "./draw.js";
import { enter } from "./entry.js";
import { areasHere } from "./grants.js";
import { bringing, imports } from "./imports.js";
import { both, count, moment, say, t } from "./say.js";
import { go, href, may, nameOf, page, state } from "./state.js";
import { short } from "./values.js";

export async function lists() {
  const views = ["lists", ...(state.me && may("import") ? ["send", "import"] : [])];
  const view = views.includes(state.view) ? state.view : "lists";
  const picked = picker(t("tab.Lists"), views.map((name) => [`lists-${name}`, t(`lists.${name}`), name === view, () => go({ view: name })]));
  return [picked, ...(await { lists: state.item ? one : all, send, import: imports }[view]())];
}

async function all() {
  const { lists: found } = await get("/v1/lists", { day: state.day });
  if (found.length === 0) return [empty(t("noLists"))];
  return [listing(t("tab.Lists"), [t("listName"), t("area"), t("deadline"), t("rowsOfList"), t("openRows"), t("overdue"), t("unrouted"), t("results")], found.map((l) => row(
    [el("a", { href: href({ item: l.id }) }, l.name), " ", el("small", {}, t("versionN", { n: l.number }))], nameOf(l.area), l.deadline ?? "",
    count(l.tasks), count(l.open), l.overdue > 0 ? tag(count(l.overdue), true) : "0", l.unrouted > 0 ? tag(count(l.unrouted), true) : "0", results(l.results))))];
}

const results = (found) => Object.entries(found ?? {}).filter(([, n]) => n > 0)
  .map(([code, n]) => `${code ? optionWord(code, "result", "task") ?? code : t("noResult")} ${count(n)}`).join("、");

// one is a version of a list: its numbers, each area's, and its rows.
async function one() {
  const l = await get(`/v1/lists/${state.item}`, { day: state.day });
  const card = (label, n, alarm) => el("div", { class: alarm && n > 0 ? "card alarm" : "card" }, el("span", { class: "n" }, count(n)), el("span", { class: "l" }, label));
  return [
    el("p", {}, el("a", { href: href({}) }, `‹ ${t("back")}`)),
    el("h2", {}, `${l.name} · ${t("versionN", { n: l.number })}`, l.newest ? "" : tag(t("olderVersion"), true)),
    el("p", { class: "w" }, [nameOf(l.area), l.purpose ? optionWord(l.purpose, "purpose", "list") : "", l.source, t("issuedOn", { day: l.issued_on }), l.deadline ? t("dueOn", { day: l.deadline }) : ""].filter(Boolean).join(" · ")),
    versions(l),
    el("div", { class: "cards" }, card(t("rowsOfList"), l.tasks), card(t("openRows"), l.open), card(t("overdue"), l.overdue, true), card(t("unrouted"), l.unrouted, true), card(t("withdrawnRows"), l.withdrawn),
      ...Object.entries(l.results ?? {}).filter(([code]) => code).map(([code, n]) => card(optionWord(code, "result", "task") ?? code, n))),
    ...((l.areas ?? []).length > 0 ? [el("h2", {}, t("byArea")), listing(t("byArea"), [t("area"), t("rowsOfList"), t("openRows"), t("overdue"), t("unrouted"), t("results")], l.areas.map((a) => row(
      a.name, count(a.tasks), count(a.open), a.overdue > 0 ? tag(count(a.overdue), true) : "0", count(a.unrouted), results(a.results))))] : []),
    el("h2", {}, t("whoIsOn")), await rowsOf(state.item),
  ].filter(Boolean);
}

function versions(l) {
  if ((l.versions ?? []).length < 2) return null;
  return el("p", { class: "w" }, `${t("versions")}：`, ...l.versions.flatMap((id, i) => [i > 0 ? "、" : "",
    id === l.id ? el("b", {}, count(i + 1)) : el("a", { href: href({ item: id }) }, count(i + 1))]));
}

const rowsOf = (id) => pages(async (after) => {
  const found = await get(`/v1/lists/${id}/rows`, { after, limit: PAGE });
  return { next: found.next ?? "", n: found.rows.length, node: found.rows.length === 0 ? null : listing(t("whoIsOn"),
    [t("who"), t("area"), t("result"), t("resultBy"), t("when"), t("doing")], found.rows.map((r) => row(
      el("a", { href: href({ tab: "Roster", kind: "task", item: r.id, view: "" }) }, nameIn(r)), r.area_name,
      r.fields.result ? tag(optionWord(r.fields.result, "result", "task") ?? r.fields.result) : r.fields.withdrawn_on ? t("withdrawnRow") : t("noResult"),
      r.by ? r.by_name || short(r.by) : "", r.when ? moment(r.when) : "", r.fields.withdrawn_on || !state.me || !may("write", r.area) ? "" : handling(r)))) };
});

// handling routes a row to whom it concerns, or says what came of it: a change of the task
// like any from a phone.
function handling(r) {
  const change = (fields, words) => async () => {
    await enter({ record: r.id, kind: "task", area: r.area, base: r.version, fields });
    await page.show();
    say(words);
  };
  const to = choice({}, areasHere().filter(([id]) => id !== r.area));
  const result = choice({}, (fieldOf("task", "result")?.choices ?? []).map((o) => [o.code, both(o.label)]));
  return sure(t("handle"), labelled(t("routeTo"), to), deed(t("act.route"), () => change({ area: to.value }, t("routed", { where: nameOf(to.value) }))()),
    labelled(t("result"), result), deed(t("giveResult"), () => change({ result: result.value, done_at: Date.now() }, t("resultGiven"))(), true));
}

function nameIn(r) {
  const name = r.fields.name ?? r.fields.title;
  if (name && typeof name === "object") return name.masked || "***";
  return name || short(r.id);
}

// send sends a list down.
function send() {
  const options = (kind, name) => (fieldOf(kind, name)?.choices ?? []).map((o) => [o.code, both(o.label)]);
  const input = (id, more = {}) => el("input", { id: `list-${id}`, ...more });
  const [name, source, note] = [input("name", { maxlength: "100", required: true }), input("source", { maxlength: "100" }), input("note", { maxlength: "200" })];
  const deadline = input("deadline", { type: "date" });
  const purpose = choice({ id: "list-purpose" }, options("list", "purpose"), "other");
  const what = choice({ id: "list-what" }, options("task", "what"), "check_person");
  const family = choice({ id: "list-family" }, [["", t("aNewList")]]);
  get("/v1/lists").then(({ lists: found }) => family.append(...found.map((l) => el("option", { value: l.family }, `${l.name}（${t("versionN", { n: l.number + 1 })}）`)))).catch(() => {});
  return bringing({
    id: "send", verb: "send", title: t("sendDown"), note: t("sendDownNote", { where: nameOf(state.area) }),
    inputs: [labelled(t("listName"), name), labelled(t("newVersionOf"), family), labelled(t("purpose"), purpose), labelled(t("toDo"), what),
      labelled(t("deadline"), deadline), labelled(t("source"), source), labelled(t("forPosts"), note)],
    path: () => `/v1/areas/${state.area}/lists`, kind: () => "task",
    asked: () => ({ name: name.value.trim(), family: family.value, purpose: purpose.value, what: what.value, deadline: deadline.value, source: source.value.trim(), note: note.value.trim() }),
  });
}
