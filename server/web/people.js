// People and what they may do here: who there is, whom to invite, who waits, handing over.

import { get, post } from "./api.js";
import { PAGE, choice, deed, el, labelled, pages, picker, sure, tag } from "./draw.js";
import { areaChoices, mine, roleChoices, span } from "./grants.js";
import { handover } from "./handover.js";
import { handOut, invites } from "./invites.js";
import { dayEnd, dayOf, dayStart, say, t } from "./say.js";
import { go, nameOf, page, state } from "./state.js";
import { short } from "./values.js";
import { waiting } from "./waiting.js";

const VIEWS = { people: everybody, waiting, invites, handover };

export async function people() {
  const view = state.view in VIEWS ? state.view : "people";
  const { enrolments, next } = await get(`/v1/areas/${state.area}/enrolments`, { state: "waiting", limit: 100 });
  const words = (name) => (name === "waiting" ? [t(`people.${name}`), " ", el("b", {}, `${enrolments.length}${next ? "+" : ""}`)] : t(`people.${name}`));
  const views = picker(t("tab.People"), Object.keys(VIEWS).map((name) => [`view-${name}`, words(name), name === view, () => go({ view: name })]));
  return [views, ...await VIEWS[view]()];
}

async function everybody() {
  return [await pages(async (after) => {
    const answer = await get(`/v1/areas/${state.area}/people`, { after, limit: PAGE });
    return { next: answer.next ?? "", n: answer.people.length, node: el("ul", { class: "queue" }, ...answer.people.map(somebody)) };
  })];
}

// somebody is one person, with what they hold and what can be done about it. Nobody does
// anything about themselves.
function somebody(p) {
  const self = p.author === state.me.author;
  const now = p.grants.filter((g) => !g.to || g.to > state.now);
  const past = p.grants.length - now.length;
  const phones = (p.devices ?? []).map((d) => (d.status === "in_use" ? d.name : `${d.name}（${t(`status.${d.status}`)}）`));
  return el("li", { class: "queued", id: `person-${p.author}`, tabindex: "-1" }, el("div", { class: "grow" },
    el("div", {}, el("b", {}, p.name || short(p.author)), " ", el("small", {}, short(p.author)), " ", self ? tag(t("yourself")) : null),
    ...now.map((g) => grantLine(p, g, self)),
    now.length === 0 ? el("small", {}, t("noGrantNow")) : null, past > 0 ? el("small", {}, t("grantsEnded", { n: past })) : null,
    el("small", {}, `${t("phones")}：${phones.join("、") || t("none")}`),
    el("small", {}, p.undertaking ? t("promised", { at: dayOf(p.accepted_at), n: p.undertaking }) : t("notPromised")),
    self ? null : el("div", { class: "act" }, giving(p), newPhone(p, now), linking(p, now))));
}

function grantLine(p, g, self) {
  return el("div", { class: "act" }, tag(t(`role.${g.role}`)), el("span", {}, `${nameOf(g.area)} · ${span(g)}`),
    self || !mine(g) ? null : sure(t("endGrant"), el("small", {}, t("endGrantNote")), deed(t("endNow"), async () => {
      await post("/v1/grants/end", { author: p.author, area: g.area, role: g.role });
      await page.show();
      say(t("grantEnded", { who: p.name }));
    })));
}

function giving(p) {
  const area = choice({}, areaChoices());
  const role = choice({}, roleChoices());
  const [from, to] = [el("input", { type: "date" }), el("input", { type: "date" })];
  return sure(t("giveGrant"), labelled(t("area"), area), labelled(t("role"), role), labelled(t("fromOrNow"), from), labelled(t("untilOrOpen"), to),
    deed(t("giveGrant"), async () => {
      if (!area.value) return say(t("needArea"), true);
      await post("/v1/grants", { author: p.author, area: area.value, role: role.value, from: dayStart(from.value) ?? 0, to: dayEnd(to.value) });
      await page.show();
      say(t("grantGiven", { who: p.name }));
    }, true));
}

// newPhone invites a known person with another phone: as whom they come is settled.
function newPhone(p, now) {
  const g = now.find(mine);
  if (!g) return null;
  const out = el("div", { class: "wide" });
  return sure(t("newPhone"), el("small", {}, t("newPhoneNote")), deed(t("makeInvite"), async () => {
    const made = await post("/v1/invites", { author: p.author, area: g.area, role: g.role, to: g.to, label: p.name });
    out.replaceChildren(handOut(made));
    say(t("inviteMade"));
  }, true), out);
}

// linking makes the link with which somebody sets a password for the desk.
function linking(p, now) {
  if (now.length === 0 || !now.every(mine)) return null;
  const login = el("input", { autocomplete: "off", autocapitalize: "none", spellcheck: "false" });
  const out = el("div", { class: "wide" });
  return sure(t("deskLink"), el("small", {}, t("deskLinkNote")), labelled(t("loginShape"), login), deed(t("makeLink"), async () => {
    const made = await post("/v1/accounts", { author: p.author, login: login.value.trim() });
    const link = `${location.origin}/#welcome=${made.token}`;
    out.replaceChildren(el("p", { class: "note" }, t("linkOnce", { until: dayOf(made.expires) })), labelled(t("link"), el("input", { readonly: true, value: link, class: "mono" })));
    say(t("linkMade"));
  }, true), out);
}
