// The board of phones: when each was last heard of, what it still holds by its own word,
// how it stands. Those that somebody should ask about come first.

import { get, post } from "./api.js";
import { choice, deed, el, empty, labelled, picker, sure, listing, tag } from "./draw.js";
import { ago, count, dayOf, lasting, moment, say, t } from "./say.js";
import { go, page, state } from "./state.js";
import { short } from "./values.js";

const SILENT = 24 * 3600_000; // a phone in use reports every day
const CLOCK_OFF = 2 * 60_000;
const MOST = 2000; // phones that are read for one board
const REASONS = { in_use: ["found", "checked", "mistake", "other"], lost: ["lost", "stolen", "other"], retired: ["handed_back", "broken", "other"] };

export async function phones() {
  const { devices, cut } = await everyPhone();
  const asking = devices.filter(wants);
  const view = ["attend", "in_use", "gone"].includes(state.view) ? state.view : "";
  const shown = { "": devices, attend: asking, in_use: devices.filter((d) => d.status === "in_use"), gone: devices.filter((d) => d.status !== "in_use") };
  const views = picker(t("tab.Phones"), Object.entries(shown).map(([name, list]) => [`phones-${name || "all"}`,
    [t(`phones.${name || "all"}`), " ", el("b", {}, count(list.length))], name === view, () => go({ view: name })]));
  return [views, cut ? el("p", { class: "note" }, t("firstPhones", { n: count(MOST) })) : null,
    shown[view].length > 0 ? board(shown[view]) : empty(t("noRows"))].filter(Boolean);
}

// A phone that came in just now has still to be heard of.
const heard = (d) => d.contact || d.since || 0;
const silent = (d) => d.status === "in_use" && state.now - heard(d) > SILENT;
const wants = (d) => silent(d) || d.unsent > 0;

// everyPhone reads the whole board, as what stands out may be on any page of it.
async function everyPhone() {
  const devices = [];
  let after = "";
  do {
    const answer = await get(`/v1/areas/${state.area}/devices`, { after, limit: 500 });
    devices.push(...answer.devices);
    after = answer.next ?? "";
  } while (after && devices.length < MOST);
  const rank = (d) => (d.unsent > 0 && silent(d) ? 0 : d.unsent > 0 ? 1 : silent(d) ? 2 : d.status === "in_use" ? 3 : 4);
  devices.sort((a, b) => rank(a) - rank(b) || heard(a) - heard(b));
  return { devices, cut: Boolean(after) };
}

// board lists phones; settle says whether their standing can be changed there.
export const board = (devices, settle = true) => listing(t("tab.Phones"),
  [t("device"), t("usedBy"), t("lastContact"), t("unsentNow"), t("parkedNow"), t("status"), ...(settle ? [t("doing")] : [])],
  devices.map((d) => el("tr", { class: wants(d) ? "attend" : false, id: `phone-${d.id}`, tabindex: "-1" },
    el("th", { scope: "row" }, wants(d) ? el("span", { class: "sign", title: t("phones.attend"), role: "img", "aria-label": t("phones.attend") }, "!") : null,
      d.name || short(d.id), el("div", { class: "w" }, [short(d.id), d.app].filter(Boolean).join(" · "))),
    el("td", {}, d.people.map((p) => p.name || short(p.author)).join("、") || "—"),
    el("td", {}, ...contact(d)),
    el("td", { class: d.unsent > 0 ? "alarm" : "zero" }, count(d.unsent)),
    el("td", { class: d.parked > 0 ? false : "zero", title: t("heldHere", { n: count(d.held) }) }, count(d.parked)),
    el("td", {}, ...standing(d)), settle ? el("td", {}, restanding(d)) : null)));

function contact(d) {
  if (!d.contact) return [tag(t("neverHeard"), silent(d))];
  const off = Math.abs(d.clock_offset ?? 0) > CLOCK_OFF;
  return [el("span", { title: moment(d.contact) }, ago(d.contact)), " ", silent(d) ? tag(t("silent"), true) : null,
    off ? tag(t(d.clock_offset > 0 ? "clockBehind" : "clockAhead", { n: lasting(Math.abs(d.clock_offset)) }), true) : null];
}

function standing(d) {
  return [tag(t(`status.${d.status}`), d.status !== "in_use"), d.since ? el("div", { class: "w short" }, t("sinceDay", { at: dayOf(d.since) })) : null,
    d.enrolment === "waiting" || d.enrolment === "refused" ? tag(t(`enrolment.${d.enrolment}`), true) : null];
}

// restanding changes how a phone stands; what it still holds it may always deliver.
function restanding(d) {
  const others = Object.keys(REASONS).filter((s) => s !== d.status);
  const to = choice({}, others.map((s) => [s, t(`status.${s}`)]));
  const reason = el("select");
  const fill = () => reason.replaceChildren(...REASONS[to.value].map((r) => el("option", { value: r }, t(`why.${r}`))));
  to.addEventListener("change", fill);
  fill();
  return sure(t("setStatus"), labelled(t("status"), to), labelled(t("reason"), reason), deed(t("setStatus"), async () => {
    await post(`/v1/devices/${d.id}/status`, { status: to.value, reason: reason.value });
    await page.show();
    say(t("statusSet", { what: d.name || short(d.id) }));
  }, true), el("small", { class: "wide" }, t("setStatusNote")));
}
