// The log of who looked at what, for auditors. Reading it is noted in it.

import { get } from "./api.js";
import { PAGE, choice, deed, el, empty, labelled, pages, row, listing } from "./draw.js";
import { has, moment, t } from "./say.js";
import { go, href, nameOf, state } from "./state.js";
import { short } from "./values.js";

const ACTS = ["looked", "searched", "exported", "asked_who", "read_audit", "invited", "withdrew", "enrolled", "confirmed", "refused",
  "granted", "ended_grant", "handed_over", "set_device", "suspended", "signed_in", "sign_in_failed", "signed_out", "set_password",
  "made_link", "purged"];

const actName = (act) => (has(`did.${act}`) ? t(`did.${act}`) : act);

// audit shows the log of an area: everything, one kind of act (about), one person's (item).
export async function audit() {
  const act = choice({ id: "audit-act", onchange: (event) => go({ view: event.target.value, item: state.item }) },
    [["", t("allActs")], ...ACTS.map((name) => [name, actName(name)])], state.view);
  const list = await pages(async (after) => {
    const { lines: found, next } = await get("/v1/audit", { area: state.area, act: state.view, who: state.item, after, limit: PAGE });
    return { next: String(next ?? ""), n: found.length, node: found.length > 0 ? lines(found, t("tab.Audit")) : next ? goOn(next) : empty(t("noRows")) };
  });
  return [el("div", { class: "bulk" }, labelled(t("act"), act),
    state.item ? deed(`${t("onlyOf", { who: short(state.item) })} ✕`, () => go({ view: state.view, item: "" })) : el("small", {}, t("auditNote"))), list];
}

const goOn = () => empty(t("noneNearby"));

// lines are lines of the log.
export const lines = (found, caption) => listing(caption, [t("when"), t("who"), t("act"), t("area"), t("device"), t("what")], found.map((l) => row(
  moment(l.at), whoDid(l), actName(l.act), nameOf(l.area ?? ""), l.device ? l.device_name || short(l.device) : l.who ? t("atDesk") : "—",
  [el("div", { class: "wrapped" }, detailOf(l))])));

function whoDid(l) {
  if (!l.who) return t("theServer");
  const name = l.who_name || short(l.who);
  const link = state.tab === "Audit" ? el("a", { href: href({ view: state.view, item: l.who }) }, name) : name;
  return [link, l.role ? ` ${t(`role.${l.role}`)}` : ""];
}

// detailOf says how many records were shown, or whom an act was about: ids shortened, and
// the server's words in the reader's language.
function detailOf(l) {
  const detail = (l.detail ?? "").replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}/g, short).split(" ").map(wordOf).join(" ");
  const n = l.records?.length ?? 0;
  return [n > 0 ? t("recordsShown", { n }) : "", detail].filter(Boolean).join(" · ");
}

function wordOf(word) {
  const key = [`detail.${word}`, `role.${word}`, `status.${word}`, `refusal.${word}`, `why.${word}`, `kind.${word}`].find(has);
  return key ? t(key) : word;
}
