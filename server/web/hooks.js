// Other systems that are told at once: making such a link, ending it, what was sent.

import { get, post, remove } from "./api.js";
import { flagWord } from "./book.js";
import { PAGE, deed, el, empty, labelled, listing, opened, pages, row, sure, tag, ticked } from "./draw.js";
import { count, has, moment, say, t } from "./say.js";
import { nameOf, page, state } from "./state.js";

// EVENTS are those that aren't flags of forms.
const EVENTS = ["closed", "returned", "settled"];

const eventWord = (name) => (has(`event.${name}`) ? t(`event.${name}`) : flagWord(name));

// offered are all events that there are: of days and questions, and every form's alarms.
const offered = () => [...new Set([...state.forms.values()].flatMap((f) => (f.flags ?? []).map((one) => one.name))), ...EVENTS];

export async function hooks() {
  const { hooks: found } = await get(`/v1/areas/${state.area}/hooks`);
  const out = el("div", { id: "hook-made", tabindex: "-1" });
  return [adding(out), out, el("h2", {}, t("setup.hooks")), found.length === 0 ? empty(t("noHooks"))
    : el("ul", { class: "queue" }, ...found.map(one))];
}

function adding(out) {
  const url = el("input", { id: "hook-url", type: "url", placeholder: t("hookExample"), maxlength: "500" });
  const boxes = offered().map((name) => ticked(eventWord(name), el("input", { type: "checkbox", value: name, checked: name === "fever" })));
  return el("form", { class: "sheet grid", onsubmit: (event) => event.preventDefault() }, el("h2", {}, t("addHook")),
    el("div", { class: "wide" }, labelled(t("hookURL"), url)), el("div", { class: "wide ticks", role: "group", "aria-label": t("hookEvents") }, ...boxes),
    deed(t("addHook"), async () => {
      const events = boxes.map((label) => label.querySelector("input")).filter((box) => box.checked).map((box) => box.value);
      const made = await post(`/v1/areas/${state.area}/hooks`, { url: url.value.trim(), events });
      await page.show();
      document.getElementById("hook-made").replaceChildren(el("article", { class: "sheet" }, el("p", { class: "note" }, t("hookSecretOnce")), el("p", { class: "code" }, made.secret)));
      document.getElementById("hook-made").focus();
      say(t("hookMade"));
    }, true), el("small", {}, t("hookNote")));
}

function one(h) {
  const ended = Boolean(h.ended);
  return el("li", { class: "queued" }, el("div", { class: "grow" },
    el("div", {}, el("b", { class: "mono" }, h.host), " ", tag(nameOf(h.area)), ended ? tag(t(`hook.${h.ending}`), true) : null),
    el("small", {}, `${h.events.map(eventWord).join("、")} · ${t("made")} ${moment(h.made)}`),
    opened(t("deliveries"), () => deliveries(h)),
    ended ? null : sure(t("endHook"), deed(t("endHookNow"), async () => {
      await remove(`/v1/areas/${h.area}/hooks/${h.id}`);
      await page.show();
      say(t("hookEnded"));
    }))));
}

// deliveries are what was sent to a hook, waits or was given up.
async function deliveries(h) {
  const path = `/v1/areas/${h.area}/hooks/${h.id}`;
  const again = (body, words) => deed(words, async () => {
    const { deliveries: n } = await post(`${path}/retry`, body);
    say(t("sentAgain", { n: count(n) }));
  });
  const list = await pages(async (before) => {
    const found = await get(`${path}/deliveries`, { before, limit: PAGE });
    return { next: found.next || "", n: found.deliveries.length, node: found.deliveries.length === 0 ? null : listing(t("deliveries"),
      [t("event"), t("area"), t("when"), t("status"), t("attempts"), t("doing")], found.deliveries.map((d) => row(
        eventWord(d.event), nameOf(d.area), moment(d.at), [tag(t(`sent.${d.state}`), d.state === "given_up"), " ", [d.status || "", d.failure ?? "", d.due ? t("dueAt", { at: moment(d.due) }) : ""].filter(Boolean).join(" · ")],
        count(d.attempts), d.state === "given_up" ? again({ seq: d.seq }, t("sendAgain")) : ""))) };
  });
  return el("div", {}, h.ended ? null : again({}, t("sendAllAgain")), list);
}
