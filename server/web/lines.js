// Lines of the log, in their reader's language: who did what, when, from where.

import { el, listing, opened, row } from "./draw.js";
import { has, moment, t } from "./say.js";
import { href, nameOf, state } from "./state.js";
import { short } from "./values.js";

export const actName = (act) => (has(`did.${act}`) ? t(`did.${act}`) : act);

// lines are lines of the log.
export const lines = (found, caption) => listing(caption, [t("when"), t("who"), t("act"), t("area"), t("device"), t("what")], found.map((l) => row(
  moment(l.at), whoDid(l), actName(l.act), nameOf(l.area ?? ""), l.device ? l.device_name || short(l.device) : l.who ? t("atDesk") : "—",
  [detailOf(l), recordsOf(l)])));

function whoDid(l) {
  if (!l.who) return t("theServer");
  const name = l.who_name || short(l.who);
  const link = state.tab === "Audit" ? el("a", { href: href({ view: state.view === "seen" ? "" : state.view, item: l.who }) }, name) : name;
  return [link, l.role ? ` ${t(`role.${l.role}`)}` : ""];
}

// recordsOf lists the records that were shown; who saw each may be asked by its id.
function recordsOf(l) {
  if (state.tab !== "Audit" || !l.records?.length) return null;
  return opened(t("whichRecords"), async () => el("div", { class: "wrapped" },
    ...l.records.flatMap((id) => [el("a", { href: href({ view: "seen", item: id }) }, short(id)), " "])));
}

// detailOf says how many records were shown, or whom an act was about: ids shortened, and
// the server's words in the reader's language.
function detailOf(l) {
  const detail = (l.detail ?? "").replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}/g, short).split(" ").map(wordOf).join(" ");
  const n = l.records?.length ?? 0;
  const words = [n > 0 ? t("recordsShown", { n }) : "", detail].filter(Boolean).join(" · ");
  return words ? el("div", { class: "wrapped" }, words) : null;
}

function wordOf(word) {
  const key = [`detail.${word}`, `role.${word}`, `status.${word}`, `refusal.${word}`, `why.${word}`, `kind.${word}`].find(has);
  return key ? t(key) : word;
}
