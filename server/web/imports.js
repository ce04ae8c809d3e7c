// Bringing rosters in by files, and sending lists down: first what each row would do, then
// exactly that. Nothing is entered by halves.

import { upload } from "./api.js";
import { fieldOf, fieldWord, formOf, kindWord, plain } from "./book.js";
import { choice, deed, el, empty, labelled, listing, picker, row, tag } from "./draw.js";
import { both, count, say, t } from "./say.js";
import { href, nameOf, state } from "./state.js";

const STATUSES = ["new", "same", "differs", "bad", "unsure"];

// bringing asks for a file and draws what it would do. path is where it goes, asked gives
// what else is said with it, and fields those that a column may hold.
export function bringing({ id, verb = "bring", title, note, path, asked, inputs, kind }) {
  const file = el("input", { id: `${id}-file`, type: "file", accept: ".xlsx,.csv,.txt" });
  const out = el("div", { id: `${id}-plan`, tabindex: "-1" });
  const order = { path, asked, kind, verb, out, map: {}, status: "", file: null };
  file.addEventListener("change", () => { order.map = {}; out.replaceChildren(); });
  return [el("form", { class: "sheet grid", onsubmit: (event) => event.preventDefault() }, el("h2", {}, title),
    ...inputs, labelled(t("fileOf"), file),
    deed(t("lookFirst"), async () => {
      if (!file.files[0]) return say(t("needFile"), true);
      Object.assign(order, { file: file.files[0], status: "" });
      await look(order);
      out.focus();
      say(t("lookedAt"));
    }, true), el("small", {}, note)), out];
}

async function ask(order, more = {}) {
  const map = Object.keys(order.map).length > 0 ? JSON.stringify(order.map) : "";
  return upload(order.path(), order.file, { ...order.asked(), file: order.file.name, author: state.me.author, map, ...more });
}

// look asks what the file would do. Where there is a word against all of it, that is shown.
async function look(order, after = "") {
  const plan = await ask(order, { status: order.status, after, limit: 200 });
  order.out.replaceChildren(...drawn(plan, order));
}

function drawn(plan, order) {
  const { counts } = plan;
  const left = counts.bad + counts.unsure;
  const buttons = ["", ...STATUSES].map((s) => [`status-${s || "all"}`, [t(`row.${s || "all"}`), " ", el("b", {}, count(s ? counts[s] : counts.rows))], order.status === s,
    () => look({ ...order, status: s }).catch((error) => say(t("failed", { why: error.message }), true))]);
  return [
    el("h2", {}, `${plan.file} · ${nameOf(plan.area)}`), ...aboutList(plan.list),
    (plan.missing ?? []).length > 0 ? el("p", { class: "note", role: "alert" }, t("columnsMissing", { what: plan.missing.map(both).join("、") })) : null,
    el("p", { class: "w" }, t("columnsRead", { what: plan.columns.map((c) => (c.header === both(c.label) ? c.header : `${c.header} → ${both(c.label)}`)).join("、") || t("none") })),
    mapping(plan, order), problems(t("fileProblems"), plan.problems), problems(t("fileRemarks"), plan.remarks),
    picker(t("rowsOfFile"), buttons), plan.lines.length > 0 ? lines(plan) : empty(t("noRows")),
    plan.next ? el("div", { class: "pager" }, deed(t("next"), () => look(order, plan.next))) : null,
    plan.applied ? applied(plan) : applying(plan, order, left),
  ].filter(Boolean);
}

// aboutList says where the rows of a list would go.
function aboutList(list) {
  if (!list) return [];
  const card = (label, n, warn) => el("div", { class: warn && n > 0 ? "card alarm" : "card" }, el("span", { class: "n" }, count(n)), el("span", { class: "l" }, label));
  return [list.known ? el("p", { class: "note" }, t("listKnown")) : null, el("div", { class: "rounds" },
    card(t("routedByPerson"), list.by_person), card(t("routedByArea"), list.by_area), card(t("routedByAddress"), list.by_address),
    card(t("unrouted"), list.unrouted, true), card(t("rowsGone"), list.gone))].filter(Boolean);
}

// mapping lets a column that wasn't recognised be told what it holds.
function mapping(plan, order) {
  if ((plan.ignored ?? []).length === 0) return null;
  const fields = (formOf(order.kind())?.fields ?? []).filter((f) => !["refs"].includes(f.type)).map((f) => [f.name, both(f.label)]);
  return el("details", { class: "over" }, el("summary", {}, t("columnsIgnored", { what: plan.ignored.join("、") })), el("div", { class: "grid" },
    ...plan.ignored.filter(Boolean).map((header) => {
      const to = choice({}, [["", t("notUsed")], ...fields], order.map[header] ?? "");
      to.addEventListener("change", () => {
        order.map[header] = to.value;
        look(order).catch((error) => say(t("failed", { why: error.message }), true));
      });
      return labelled(header, to);
    })));
}

const problems = (caption, list) => ((list ?? []).length === 0 ? null : el("details", { class: "over", open: list.length < 6 }, el("summary", {}, `${caption} ${count(list.length)}`),
  listing(caption, [t("cell"), t("column"), t("what")], list.map((p) => row(p.cell || (p.row ? t("rowN", { n: p.row }) : "—"), p.column ?? "", el("div", { class: "wrapped" }, both(p)))))));

// lines are the rows of the file: what each would do, and what is wrong with it.
function lines(plan) {
  return listing(t("rowsOfFile"), [t("rowOfFile"), t("status"), t("who"), t("area"), t("what")], plan.lines.map((l) => row(
    count(l.row), tag(t(`row.${l.status}`), ["bad", "unsure"].includes(l.status)), l.record && l.status !== "new" ? el("a", { href: href({ tab: "Roster", kind: plan.kind, item: l.record }) }, l.name || "—") : l.name ?? "",
    l.area ? nameOf(l.area) : "", el("div", { class: "wrapped" }, ...whatOf(l, plan.kind)))));
}

function whatOf(l, kind) {
  const word = (field, v) => (v === undefined || v === null ? t("none") : fieldOf(kind, field) ? plain(kind, field, v) : String(v));
  return [
    ...(l.problems ?? []).map((p) => el("div", {}, p.cell ? el("span", { class: "mono" }, `${p.cell} `) : "", both(p))),
    ...(l.differs ?? []).map((d) => el("div", {}, `${both(d.label) || fieldWord(d.field, kind)}：`, el("b", {}, word(d.field, d.file)), ` / ${t("inRoster")} ${word(d.field, d.roster)}`, d.kept ? tag(t("leftOut")) : "")),
    l.new_household ? tag(t("newHousehold")) : null, l.twin ? el("div", {}, t("twinOf", { n: l.twin })) : null,
    (l.matches ?? []).length > 1 ? el("div", {}, t("matchesMany", { n: l.matches.length })) : null,
  ].filter(Boolean);
}

// applying offers to do what the plan says, all of it or without what can't be entered.
function applying(plan, order, left) {
  if (!plan.token) return el("p", { class: "note", role: "alert" }, t("nothingToBring"));
  const work = (leaveOut) => async () => {
    try {
      const done = await ask(order, { token: plan.token, leave_out: leaveOut ? "true" : "", limit: 200 });
      order.out.replaceChildren(...drawn(done, order));
      order.out.focus();
      say(t("brought", { n: count(done.applied.changes) }));
    } catch (error) {
      if (error.code !== "moved_on") throw error;
      await look(order);
      say(t("movedOn"), true);
    }
  };
  const n = plan.counts.new + plan.counts.differs;
  return el("div", { class: "sheet act", id: "applying" }, left === 0 ? deed(t(`all.${order.verb}`, { n: count(n) }), work(false), true)
    : deed(t(`rest.${order.verb}`, { n: count(n), m: count(left) }), work(true), true), el("small", {}, t(left === 0 ? "bringNote" : "bringRestNote")));
}

function applied(plan) {
  const a = plan.applied;
  return el("div", { class: "sheet", id: "applied" }, el("p", {}, t("broughtWhole", { changes: count(a.changes), new: count(a.new), differs: count(a.differs), left: count(a.left) })),
    a.disputed > 0 ? el("p", { class: "note" }, t("broughtDisputed", { n: count(a.disputed) }), " ", el("a", { href: href({ tab: "Review" }) }, t("tab.Review"))) : null);
}

// BROUGHT are the kinds of records that come in by files.
const BROUGHT = ["person", "household", "area"];

// imports brings areas, households and people in.
export function imports() {
  const kind = choice({ id: "import-kind" }, BROUGHT.map((k) => [k, k === "area" ? t("areas") : kindWord(k)]));
  return bringing({
    id: "import", title: t("bringIn"), note: t("bringInNote", { where: nameOf(state.area) }), inputs: [labelled(t("kindOf"), kind)],
    path: () => `/v1/areas/${state.area}/import`, asked: () => ({ kind: kind.value }), kind: () => kind.value,
  });
}
