// The page: what is going on in the areas that its reader may see, and what they may do
// about it. It asks the server's API and keeps nothing but a token, in this tab alone.
// This module says who is there and where they are; each view is a module of its own.

import { account, signOut } from "./account.js";
import { get, passes, patience } from "./api.js";
import { audit } from "./audit.js";
import { flagWord, learn } from "./book.js";
import { days } from "./days.js";
import { review } from "./desk.js";
import { $, el } from "./draw.js";
import { field } from "./field.js";
import { landing } from "./landing.js";
import { lists } from "./lists.js";
import { follow } from "./live.js";
import { people } from "./people.js";
import { phones } from "./phones.js";
import { roster } from "./roster.js";
import { count, moment, say, t, whisper } from "./say.js";
import { setup } from "./setup.js";
import { signIn, welcome } from "./signin.js";
import { go, href, may, page, readPlace, state } from "./state.js";
import { totals } from "./totals.js";

// VIEWS are the tabs, with the right that each needs.
const VIEWS = {
  Totals: [totals, "totals"], Day: [days, "totals"], Field: [field, "read"], Review: [review, "read"], Roster: [roster, "read"],
  Lists: [lists, "read"], People: [people, "enrol"], Phones: [phones, "enrol"], Setup: [setup, "totals"], Audit: [audit, "audit"],
  Account: [account, ""],
};

// turn numbers what was asked: an older answer that comes after a newer question is dropped.
let turn = 0;
let drawn;

// onceMore reads again after a failure that passes, unless something else is asked first.
let onceMore;

// failed says that nothing could be read, and reads again if that may help.
function failed(error, again) {
  if (!passes(error)) return say(t("failed", { why: error.message }), true);
  say(t("failedForNow"), true);
  onceMore = setTimeout(again, patience(error));
}

async function start(came) {
  frame();
  if (came.enrol) return standing(() => landing(came.enrol));
  if (came.welcome) return standing(welcome(came.welcome, () => begin(t("passwordSet"))));
  await begin();
}

// standing draws a page of its own, and draws it again where only the language changes.
function standing(draw) {
  clearTimeout(onceMore);
  page.show = draw;
  return draw();
}

// begin finds out who is there, and asks them in if nobody is.
async function begin(note = "") {
  clearTimeout(onceMore);
  whisper(t("loading"));
  try {
    if (!state.token) state.me = await get("/v1/session");
    [{ areas: state.areas }] = await Promise.all([get("/v1/areas"), learn()]);
    state.byId = new Map(state.areas.map((a) => [a.id, a]));
    await standing(show);
  } catch (error) {
    if (![401, 403, 404].includes(error.status)) return failed(error, () => begin(note));
    askIn(note || (state.token ? error.message : ""));
  }
}

function askIn(why = "") {
  follow("", hear);
  state.me = null;
  state.token = "";
  sessionStorage.removeItem("token");
  frame();
  standing(() => signIn(() => begin(), (token) => {
    sessionStorage.setItem("token", token);
    state.token = token;
    begin();
  }));
  say(why, why !== "");
}

// PAUSE is how long what has changed is gathered before it is drawn, in milliseconds: in a
// rush something changes all the time.
const PAUSE = 3000;
let waiting;

// hear draws what has changed while one looks, unless somebody is about to type or to send
// something; alarms are said at once.
function hear(what, said) {
  if (what === "changed") {
    waiting ??= setTimeout(() => {
      waiting = undefined;
      const busy = document.activeElement?.closest("form, details, .spans") || document.querySelector("#panel :focus-visible, #panel details[open]");
      if (page.show === show && !busy && document.visibilityState === "visible") show(true);
    }, PAUSE);
    return;
  }
  const where = state.byId.get(said.area)?.name ?? "";
  if (said.flag || what === "fever") say(t("heardAlarm", { what: flagWord(said.flag ?? what), where }), true);
  else if (what === "closed" || what === "returned") say(t(`heard.${what}`, { where, day: said.day ?? "" }));
}

// frame fills in what stands around the content.
function frame() {
  document.documentElement.lang = state.english ? "en" : "zh-CN";
  $("skip").textContent = t("skip");
  $("day-label").textContent = t("day");
  $("language").textContent = t("otherLanguage");
  $("crumbs").setAttribute("aria-label", t("areas"));
  $("tabs").setAttribute("aria-label", t("views"));
  $("footer").textContent = t(state.token ? "demoFooter" : "footer");
  const inside = Boolean(state.me || state.token) && state.byId.size > 0;
  $("me").hidden = !inside;
  $("day").parentElement.hidden = !inside;
  $("me").textContent = state.me ? state.me.name : t("signOut");
  $("me").title = t(state.me ? "tab.Account" : "signOut");
}

// show reads and draws the place where one is; quietly where nobody asked for it.
async function show(quiet = false) {
  clearTimeout(onceMore);
  const now = ++turn;
  if (!state.byId.has(state.area)) state.area = state.areas[0]?.id ?? "";
  if (!state.area) return say(t("noRows"));
  const tabs = Object.keys(VIEWS).filter((name) => !VIEWS[name][1] || may(VIEWS[name][1]));
  if (!tabs.includes(state.tab) || (state.tab === "Account" && !state.me)) state.tab = "Totals";
  frame();
  if (!quiet) whisper(t("loading"));
  try {
    const span = state.tab === "Totals" && state.from && state.from <= (state.day || state.from) && state.view !== "published";
    const summary = await get(`/v1/areas/${state.area}/summary`, span ? { from: state.from, to: state.day } : { day: state.day });
    state.asOf = summary.watermark.at;
    state.day ||= summary.day;
    const content = await VIEWS[state.tab][0](summary);
    if (now !== turn) return;
    draw(summary, tabs.filter((name) => name !== "Account"), content);
    if (!quiet) whisper(t("loaded"));
    follow(["Totals", "Day"].includes(state.tab) ? state.area : "", hear);
  } catch (error) {
    if (now !== turn) return;
    if (error.status === 401) return askIn(error.message);
    if (!quiet) failed(error, () => show());
    else if (passes(error)) onceMore = setTimeout(() => hear("changed"), patience(error));
  }
}

function draw(summary, tabs, content) {
  const focused = document.activeElement?.id;
  const moved = drawn !== undefined && drawn !== `${state.area} ${state.tab === "Account"}`;
  drawn = `${state.area} ${state.tab === "Account"}`;
  $("day").value = summary.day;
  const title = state.tab === "Account" ? t("tab.Account") : summary.name;
  $("title").textContent = title;
  document.title = `${title} · 网格通 gridsync`;
  drawCrumbs();
  drawTabs(tabs, summary.watermark.disputes);
  if (state.tab === "Account") $("watermark").replaceChildren();
  else watermark(summary.watermark);
  $("panel").replaceChildren(...content);
  keepFocus(focused, moved);
}

// keepFocus puts the focus back where it was before everything was drawn anew: on
// the selected tab if it was on a tab, and at the top of a new area.
function keepFocus(id, moved) {
  if (moved) $("main").focus();
  else if (id?.startsWith("tab-")) $(`tab-${state.tab}`)?.focus();
  else if (id) $(id)?.focus();
}

function drawCrumbs() {
  const path = [];
  for (let a = state.byId.get(state.area); a; a = state.byId.get(a.parent)) path.unshift(a);
  const tops = state.areas.filter((a) => !state.byId.has(a.parent) && a.id !== path[0]?.id);
  const link = (a) => el("a", { href: href({ area: a.id, ...(state.tab === "Account" ? { tab: "Totals" } : {}) }) }, a.name);
  $("crumbs").replaceChildren(el("ol", {}, ...path.map((a) => el("li", {},
    a.id === state.area && state.tab !== "Account" ? el("span", { "aria-current": "page" }, a.name) : link(a)))),
  tops.length > 0 ? el("span", { class: "others" }, `${t("otherAreas")}：`, ...tops.flatMap((a, i) => [i > 0 ? "、" : "", link(a)])) : "");
}

function drawTabs(names, disputes) {
  $("tabs").replaceChildren(...names.map((name) => el("button", {
    type: "button", role: "tab", id: `tab-${name}`, "aria-controls": "panel", "aria-selected": String(name === state.tab),
    tabindex: name === state.tab || (state.tab === "Account" && name === names[0]) ? "0" : "-1",
    onclick: () => go({ tab: name }),
    onkeydown: (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      go({ tab: names[(names.indexOf(name) + step + names.length) % names.length] });
    },
  }, t(`tab.${name}`) + (name === "Review" ? ` ${count(disputes)}` : ""))));
  reveal($("tabs"), $("tabs").querySelector("[aria-selected=true]"));
  if (state.tab === "Account") $("panel").removeAttribute("aria-labelledby");
  else $("panel").setAttribute("aria-labelledby", `tab-${state.tab}`);
}

// reveal scrolls a row sideways until one of its buttons is seen. The page stays where it is.
function reveal(bar, button) {
  if (button) bar.scrollLeft = button.offsetLeft - bar.offsetLeft + button.offsetWidth - bar.clientWidth;
}

function watermark(w) {
  const chip = (label, value, warn) => el("span", { class: warn ? "chip warn" : "chip" }, `${label} `, el("b", {}, value));
  const chips = [
    chip(t("asOf"), moment(w.at)), chip(t("version"), count(w.version)),
    chip(t("devices"), `${w.devices_heard}/${w.devices_expected}`, w.devices_heard < w.devices_expected),
    chip(t("unsent"), count(w.unsent), w.unsent > 0), chip(t("disputes"), count(w.disputes), w.disputes > 0),
    chip(t("parked"), count(w.parked), w.parked > 0),
  ];
  const missing = w.devices_missing ?? [];
  if (missing.length > 0) {
    const n = count(w.devices_expected - w.devices_heard);
    chips.push(el("details", { class: "missing" }, el("summary", {}, t("missing", { n })), missing.join("、")));
  }
  $("watermark").replaceChildren(...chips);
}

$("language").addEventListener("click", () => {
  state.english = !state.english;
  localStorage.setItem("language", state.english ? "en" : "zh");
  frame();
  say("");
  page.show();
});
$("me").addEventListener("click", () => (state.me ? go({ tab: "Account" }) : signOut()));
$("day").addEventListener("change", (event) => go({ day: event.target.value }));
window.addEventListener("hashchange", () => {
  const came = readPlace();
  if (Object.keys(came).length > 0 || state.byId.size === 0) start(came);
  else page.show();
});
page.askIn = askIn;
start(readPlace());
