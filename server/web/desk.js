// The desk: a list of open questions, one of them beside it, and what can be done.

import { get, post, why } from "./api.js";
import { openCase } from "./case.js";
import { PAGE, el, empty, pages, picker } from "./draw.js";
import { count, say, t } from "./say.js";
import { kindName, stateTags, subject, whenDue } from "./question.js";
import { KINDS, go, href, page, state } from "./state.js";
import { takeAway } from "./takeaway.js";
import { isMasked } from "./values.js";

export async function review() {
  const ask = (after) => get(`/v1/areas/${state.area}/review`, { kind: state.about, limit: PAGE, after });
  const first = await ask("");
  state.open = Object.values(first.counts ?? {}).reduce((sum, n) => sum + n, 0);
  const chosen = new Map();
  const bulk = el("div", { class: "bulk", id: "bulk" });
  const list = await pages(async (after) => {
    const { items, next } = after === "" ? first : await ask(after);
    chosen.clear();
    drawBulk(bulk, chosen);
    if (items.length === 0) return { next: "", n: 0, node: empty(t("noQuestions")) };
    return { next: next ?? "", n: items.length, node: el("ul", { class: "queue" }, ...items.map((q) => queued(q, chosen, bulk))) };
  });
  const open = state.item ? await openCase(state.item) : empty(t("pickCase"));
  return [byKind(first.counts ?? {}), el("div", { class: "bulk" }, takeAway("review", t("exportList"), () => ({ kind: state.about }))), el("div", { class: state.item ? "desk open" : "desk" },
    el("section", { class: "list", "aria-label": t("tab.Review") }, bulk, list),
    el("section", { class: "case", id: "case", tabindex: "-1" }, open))];
}

// byKind is the filter, with how many questions there are of each kind.
function byKind(counts) {
  const button = (kind, label, n) => [`about-${kind || "all"}`, [label, " ", el("b", {}, count(n))], kind === state.about, () => go({ about: kind })];
  return picker(t("tab.Review"), [button("", t("allKinds"), state.open), ...KINDS.map((kind) => button(kind, kindName(kind), counts[kind] ?? 0))]);
}

function queued(q, chosen, bulk) {
  const pick = el("input", { type: "checkbox", "aria-label": t("select", { what: subject(q) }), onchange: (event) => {
    if (event.target.checked) chosen.set(q.id, q);
    else chosen.delete(q.id);
    drawBulk(bulk, chosen);
  } });
  return el("li", { class: q.id === state.item ? "queued current" : "queued" }, pick, el("div", {},
    el("a", { href: href({ item: q.id }), "aria-current": q.id === state.item ? "true" : false }, subject(q)),
    el("div", {}, ...stateTags(q).filter(Boolean)), el("small", {}, whenDue(q))));
}

// drawBulk offers what can be done with all that are chosen, if they are of one kind.
function drawBulk(bulk, chosen) {
  const all = [...chosen.values()];
  const acts = { conflict: ["choose"], exit: ["choose"], duplicate: ["different"], double_visit: ["different"],
    parked: ["accept"], implausible: ["accept"], restated: ["accept"] }[all[0]?.kind] ?? [];
  if (all.length < 2 || all.some((q) => q.kind !== all[0].kind)) {
    bulk.replaceChildren(el("small", {}, all.length > 0 ? t("selected", { n: all.length }) + " · " : "", t("chooseMany")));
    return;
  }
  const reason = el("input", { id: "bulk-reason", "aria-label": t("reason"), placeholder: t("reason") });
  bulk.replaceChildren(el("b", {}, t("selected", { n: all.length })), reason, ...acts.map((act) => el("button", {
    type: "button", class: "main", onclick: () => orderMany(all, act, reason.value.trim()),
  }, t(act === "choose" ? "takeShown" : `act.${act}`))));
}

async function orderMany(all, act, reason) {
  if (act === "choose" && all.some((q) => isMasked(q.record.fields[q.field]))) return say(t("maskedChoice"), true);
  try {
    const c = await get(`/v1/review/${all[0].id}`);
    const author = Object.keys(c.acts ?? {}).find((id) => c.acts[id].includes(act));
    if (!author) return say(t("mayNot"), true);
    const orders = all.map((q) => ({ item: q.id, act, reason: reason || undefined,
      ...(act === "choose" ? { fields: { [q.field]: q.record.fields[q.field] ?? null } } : {}) }));
    const { results } = await post("/v1/review", { author, orders });
    const bad = results.filter((r) => r.error);
    await page.show();
    if (bad.length === 0) say(t("manyDone", { n: count(results.length) }));
    else say(t("someFailed", { n: count(results.length - bad.length), m: count(bad.length), why: why(bad[0].error) }), true);
  } catch (error) {
    say(t("failed", { why: error.message }), true);
  }
}
