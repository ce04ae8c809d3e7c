// Who came by an invitation for many and waits for somebody to look: confirmed or refused
// together, each with a result of its own.

import { get, post, why } from "./api.js";
import { choice, deed, el, empty, labelled, listing, ticked } from "./draw.js";
import { ago, count, moment, say, t } from "./say.js";
import { nameOf, page, state } from "./state.js";

const MOST = 500; // settled at a time
const REASONS = ["not_ours", "wrong_name", "twice", "other"];

export async function waiting() {
  const { enrolments, next } = await get(`/v1/areas/${state.area}/enrolments`, { state: "waiting", limit: MOST });
  if (enrolments.length === 0) return [empty(t("nobodyWaits"))];
  const boxes = enrolments.map((e) => el("input", { type: "checkbox", value: e.id, "aria-label": t("select", { what: e.name }) }));
  const all = el("input", { id: "all", type: "checkbox" });
  const chosen = el("b", { role: "status" });
  const tell = () => { chosen.textContent = t("selected", { n: boxes.filter((b) => b.checked).length }); };
  all.addEventListener("change", () => {
    boxes.forEach((b) => { b.checked = all.checked; });
    tell();
  });
  const list = listing(t("people.waiting"), [t("choose"), t("name"), t("role"), t("area"), t("device"), t("when")], enrolments.map((e, i) => el("tr", {},
    el("td", {}, boxes[i]), el("th", { scope: "row" }, e.name), el("td", {}, t(`role.${e.role}`)), el("td", {}, nameOf(e.area)),
    el("td", {}, e.phone ?? ""), el("td", { title: moment(e.at) }, ago(e.at)))));
  list.addEventListener("change", tell);
  tell();
  return [el("p", { class: "w" }, t("waitingNote")), bulk(boxes, all, chosen), list, next ? el("p", { class: "w" }, t("moreWait", { n: MOST })) : null].filter(Boolean);
}

function bulk(boxes, all, chosen) {
  const reason = choice({ id: "refusal" }, REASONS.map((r) => [r, t(`refusal.${r}`)]));
  const settle = (to) => async () => {
    const ids = boxes.filter((b) => b.checked).map((b) => b.value);
    if (ids.length === 0) return say(t("chooseSome"), true);
    const { results } = await post("/v1/enrolments", { ids, state: to, reason: to === "refused" ? reason.value : "" });
    const bad = results.filter((r) => r.error);
    await page.show();
    if (bad.length === 0) return say(t("manyDone", { n: count(results.length) }));
    say(t("someFailed", { n: count(results.length - bad.length), m: count(bad.length), why: why(bad[0].error) }), true);
  };
  return el("div", { class: "bulk" }, ticked(t("selectAll"), all), chosen, deed(t("confirmThem"), settle("active"), true), labelled(t("reason"), reason), deed(t("refuseThem"), settle("refused")));
}
