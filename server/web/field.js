// Work in the field: what there is to do, rounds, notices, supplies.

import { get } from "./api.js";
import { kindWord } from "./book.js";
import { PAGE, el, empty, listing, pages, picker, row, tag } from "./draw.js";
import { entryForm, now, today } from "./entry.js";
import { notices } from "./notices.js";
import { rounds } from "./rounds.js";
import { count, t } from "./say.js";
import { go, href, may, nameOf, state } from "./state.js";
import { supplies } from "./supplies.js";
import { short } from "./values.js";

const VIEWS = { duties, rounds, notices, supplies };

export async function field(summary) {
  const view = state.view in VIEWS ? state.view : "duties";
  const views = picker(t("tab.Field"), Object.keys(VIEWS).map((name) => [`field-${name}`, t(`field.${name}`), name === view, () => go({ view: name })]));
  return [views, ...(await VIEWS[view](summary))];
}

const DUTIES = ["observation_check", "observation_release", "task", "lead", "notice_unread", "household_unvisited"];

// duties are what there is to do on the day, worked out from what is recorded.
async function duties() {
  const about = DUTIES.includes(state.item) ? state.item : "";
  const ask = (after) => get(`/v1/areas/${state.area}/duties`, { day: state.day, kind: about, after, limit: PAGE });
  const first = await ask("");
  const of = (counts, kind) => counts.find((c) => c.kind === kind) ?? { open: 0, overdue: 0 };
  const card = (kind) => {
    const c = of(first.counts, kind);
    return el("a", { class: c.overdue > 0 ? "card alarm" : "card", href: href({ item: kind === about ? "" : kind }), "aria-current": kind === about ? "true" : false },
      el("span", { class: "n" }, count(c.open)), el("span", { class: "l" }, t(`duty.${kind}`), c.overdue > 0 ? ` · ${t("overdueN", { n: count(c.overdue) })}` : ""));
  };
  const list = await pages(async (after) => {
    const page = after === "" ? first : await ask(after);
    return { next: page.next ?? "", n: page.duties.length, node: page.duties.length === 0 ? empty(t("noDuties")) : dutyList(page.duties) };
  });
  return [
    el("div", { class: "cards" }, ...DUTIES.map(card)), list,
    ...((first.children ?? []).length > 0 ? [el("h2", {}, t("byArea")), listing(t("byArea"), [t("area"), ...DUTIES.map((kind) => t(`duty.${kind}`))], first.children.map((c) => row(
      c.direct ? `${c.name}（${t("direct")}）` : el("a", { href: href({ area: c.area, item: about }) }, c.name),
      ...DUTIES.map((kind) => numbers(of(c.counts, kind))))))] : []),
    ...entering(),
  ];
}

const numbers = (c) => [count(c.open), c.overdue > 0 ? tag(t("overdueN", { n: count(c.overdue) }), true) : null];

const dutyList = (found) => listing(t("field.duties"), [t("what"), t("who"), t("area"), t("dueDay"), t("more")], found.map((d) => row(
  el("a", { href: href({ tab: "Roster", kind: d.record_kind, item: d.record }) }, t(`duty.${d.kind}`)),
  d.subject ? el("a", { href: href({ tab: "Roster", kind: d.subject_kind, item: d.subject }) }, d.name || short(d.subject)) : d.title ?? d.name ?? "",
  nameOf(d.area), [d.due ?? "", d.overdue ? tag(t("overdue"), true) : null], more(d))));

const more = (d) => [d.subject ? d.title : "", d.checks ? t("checksDone", { done: d.done ?? 0, n: d.checks }) : "", d.late ? t("checksLate", { n: d.late }) : "",
  d.extended ? t("extendedTo", { day: d.extended }) : "", d.breaches ? t("breachesN", { n: d.breaches }) : "", d.readers ? t("unreadOf", { n: d.unread ?? 0, m: d.readers }) : ""].filter(Boolean).join(" · ");

// entering asks for a task or a lead of one's own.
function entering() {
  if (!state.me || !may("write")) return [];
  const form = (kind, names, more) => el("details", { class: "over" }, el("summary", {}, t("enterOne", { what: kindWord(kind) })), entryForm({ kind, names, title: t("enterOne", { what: kindWord(kind) }), ...more }));
  return [
    form("task", ["title", "what", "name", "address", "deadline"], { fixed: { issued_on: today() } }),
    form("lead", ["text", "about", "place", "received_at", "source"], { preset: { received_at: now() } }),
  ];
}
