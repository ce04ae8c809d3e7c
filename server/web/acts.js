// What can be done about a question, and doing it.

import { post, why } from "./api.js";
import { $, choice, el, empty, ticked } from "./draw.js";
import { say, t } from "./say.js";
import { page, state } from "./state.js";
import { labelOf, short } from "./values.js";
import { people, personName } from "./witness.js";

// acts offers what the answer says may be done, by whichever author of this device may.
// draw draws the question anew where it has changed meanwhile.
export function acts(c, draw) {
  const authors = Object.keys(c.acts ?? {});
  if (authors.length === 0) return empty(t("mayNot"));
  const may = c.acts[authors[0]];
  const author = choice({ id: "author", "aria-label": t("author") }, authors.map((id) => [id, personName(c, id)]));
  const reason = el("input", { id: "reason" });
  const act = (name, order = () => ({}), ...inputs) => (may.includes(name) ? el("div", { class: `act act-${name}` }, ...inputs,
    el("button", { type: "button", class: ["choose", "merge", "accept"].includes(name) ? "main" : false, onclick: () => send(c, { act: name, author: author.value, reason: reason.value.trim(), order, draw }) },
      t(name === "accept" && c.kind === "restated" ? "signAgain" : `act.${name}`))) : null);
  return el("form", { class: "acts", onsubmit: (event) => event.preventDefault() },
    authors.length > 1 ? el("label", {}, t("author"), author) : null,
    el("label", {}, t("reason"), reason), act("choose", () => chosenFields()), ...mergeAct(c, act), act("different"), ...acceptAct(c, act),
    act("return", () => (reason.value.trim() ? {} : null)), ...routeAct(c, act), ...assignAct(c, act, author), act("undo"));
}

function mergeAct(c, act) {
  if ((c.records ?? []).length !== 2) return [];
  const survivor = el("select", { id: "survivor", "aria-label": t("keep", { which: "" }) }, ...c.records.map((row, i) =>
    el("option", { value: row.id }, t("keep", { which: t(i === 0 ? "first" : "second") }))));
  const left = el("input", { id: "left", type: "date" });
  const moved = c.records[0].kind === "person" && c.records[0].area !== c.records[1].area;
  return [act("merge", () => ({ survivor: survivor.value, left: left.value || undefined }), survivor, moved ? el("label", {}, t("leftOn"), left) : null)];
}

function acceptAct(c, act) {
  if (c.kind !== "parked" || !c.waiting) return [act("accept")];
  const without = Object.keys(c.waiting.fields).map((name) => ticked(labelOf(name, c.waiting.kind), el("input", { type: "checkbox", "data-without": name, value: name })));
  const place = areaSelect("accept-area", t("belongsTo"), t("asItSays"));
  const order = () => ({ area: place.value || undefined, without: without.map((l) => l.firstChild).filter((box) => box.checked).map((box) => box.value) });
  return [act("accept", order, el("label", {}, t("belongsTo"), place), el("details", {}, el("summary", {}, t("without")), ...without))];
}

const areaSelect = (id, label, none) => choice({ id, "aria-label": label }, [["", none], ...state.areas.map((a) => [a.id, `${a.name} ${a.id}`])]);

function routeAct(c, act) {
  const place = areaSelect("route-area", t("act.route"), t("chooseArea"));
  return [act("route", () => (place.value ? { area: place.value } : null), place)];
}

function assignAct(c, act, author) {
  const who = el("select", { id: "assignee", "aria-label": t("act.assign") }, el("option", { value: "me" }, t("me")), el("option", { value: "" }, t("nobody")),
    ...[...people(c)].map(([id, name]) => el("option", { value: id }, name || short(id))));
  return [act("assign", () => ({ assignee: (who.value === "me" ? author.value : who.value) || undefined }), who)];
}

// chosenFields are the values chosen for the fields in doubt; null if one is missing.
function chosenFields() {
  const fields = {};
  for (const set of document.querySelectorAll(".doubt.choosing")) {
    const picked = set.querySelector("[type=radio]:checked");
    const typed = $(`typed-${set.dataset.field}`)?.value.trim();
    if (!picked || (picked.value === "typed" && !typed)) return null;
    const number = set.dataset.number === "true" && !Number.isNaN(Number(typed));
    fields[set.dataset.field] = picked.value !== "typed" ? JSON.parse(picked.value) : number ? Number(typed) : typed;
  }
  return Object.keys(fields).length > 0 ? { fields } : null;
}

// send orders, and shows the question as it then stands.
async function send(c, { act, author, reason, order, draw }) {
  const more = order();
  if (more === null) return say(t({ choose: "needChoice", return: "needReason" }[act] ?? "needArea"), true);
  try {
    const { results } = await post("/v1/review", { author, orders: [{ item: c.id, act, seen: c.seen, reason: reason || undefined, ...more }] });
    const error = results[0]?.error;
    if (error && error.code !== "moved_on") return say(t("notDone", { why: why(error) }), true);
    await page.show();
    if (error) $("case").replaceChildren(await draw(c.id, t("movedOn")));
    say(error ? t("movedOn") : t("done"), Boolean(error));
    $("case")?.focus();
  } catch (error) {
    say(t("notDone", { why: error.message }), true);
  }
}
