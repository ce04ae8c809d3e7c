// The log of who looked at what, for auditors. Reading it is noted in it.

import { get } from "./api.js";
import { PAGE, choice, deed, el, empty, labelled, pages } from "./draw.js";
import { actName, lines } from "./lines.js";
import { t } from "./say.js";
import { seen } from "./seen.js";
import { go, href, state } from "./state.js";
import { short } from "./values.js";

const ACTS = ["looked", "exported", "asked_who", "read_audit", "invited", "withdrew", "enrolled", "confirmed", "refused",
  "granted", "ended_grant", "handed_over", "set_device", "suspended", "signed_in", "sign_in_failed", "signed_out", "set_password",
  "made_link", "purged", "drafted", "published", "set_setting", "imported"];

// audit shows the log of an area: everything, one kind of act (the view), one person's (the
// item); or who saw the record that is the item.
export async function audit() {
  if (state.view === "seen") return [el("p", {}, el("a", { href: href({ view: "" }) }, `‹ ${t("back")}`)), el("h2", {}, `${t("whoSaw")} ${short(state.item)}`), await seen(state.item)];
  const act = choice({ id: "audit-act", onchange: (event) => go({ view: event.target.value, item: state.item }) },
    [["", t("allActs")], ...ACTS.map((name) => [name, actName(name)])], state.view);
  let name = short(state.item);
  const list = await pages(async (after) => {
    const { lines: found, next } = await get("/v1/audit", { area: whole() ? "" : state.area, act: state.view, who: state.item, after, limit: PAGE });
    name = found.find((l) => l.who === state.item)?.who_name || name;
    return { next: String(next ?? ""), n: found.length, node: found.length > 0 ? lines(found, t("tab.Audit")) : empty(t(next ? "noneNearby" : "noRows")) };
  });
  return [el("div", { class: "bulk" }, labelled(t("act"), act),
    state.item ? deed(`${t("onlyOf", { who: name })} ✕`, () => go({ view: state.view, item: "" })) : el("small", {}, t("auditNote"))), list];
}

// whole says whether one stands above everything that one may see. Nothing is asked about an
// area then: signing in, passwords and the like belong to none.
const whole = () => state.areas.every((a) => a.id === state.area || state.byId.has(a.parent));
