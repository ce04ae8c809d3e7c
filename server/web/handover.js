// Handing over: what one person does here passes to another. First it is shown what that
// comes to, above all what the leaver's phones still hold; then it is done.

import { get, post } from "./api.js";
import { choice, deed, el, empty, labelled, row, listing } from "./draw.js";
import { areasHere } from "./grants.js";
import { board } from "./phones.js";
import { count, dayOf, say, t } from "./say.js";
import { nameOf, state } from "./state.js";
import { short } from "./values.js";

export async function handover() {
  const people = await everyone();
  if (people.length < 2) return [empty(t("nobodyToHandTo"))];
  const name = (p) => [p.author, `${p.name || short(p.author)} · ${p.grants.map((g) => `${t(`role.${g.role}`)} ${nameOf(g.area)}`).join("、")}`];
  const from = choice({ id: "hand-from" }, people.filter((p) => p.grants.some((g) => !g.to || g.to > state.now)).map(name));
  const to = choice({ id: "hand-to" }, people.map(name), people[1].author);
  const area = choice({ id: "hand-area" }, areasHere());
  const out = el("div", { id: "hand-out", tabindex: "-1" });
  const form = el("form", { class: "sheet grid", onsubmit: (event) => event.preventDefault() }, el("h2", {}, t("people.handover")),
    labelled(t("handFrom"), from), labelled(t("handTo"), to), labelled(t("area"), area),
    deed(t("handLook"), async () => {
      if (from.value === to.value) return say(t("handSame"), true);
      const order = { from: from.value, to: to.value, area: area.value };
      out.replaceChildren(...plan(await post("/v1/handover", { ...order, dry_run: true }), order, out));
      out.focus();
      say(t("handLooked"));
    }, true));
  for (const list of [from, to, area]) list.addEventListener("change", () => out.replaceChildren());
  return [form, out];
}

// everyone lists the area's people, but not the reader, who hands nothing over to or from
// themselves.
async function everyone() {
  const found = [];
  let after = "";
  do {
    const answer = await get(`/v1/areas/${state.area}/people`, { after, limit: 500 });
    found.push(...answer.people);
    after = answer.next ?? "";
  } while (after);
  return found.filter((p) => p.author !== state.me.author);
}

function plan(result, order, out) {
  const grants = (list, caption) => listing(caption, [t("role"), t("area"), t("until")], list.map((g) => row(
    t(`role.${g.role}`), nameOf(g.area), g.to ? dayOf(g.to - 1) : t("openEnd"))));
  return [
    result.unsent > 0 ? el("p", { class: "note", role: "alert" }, t("handUnsent", { n: count(result.unsent) })) : el("p", { class: "w" }, t("handClean")),
    el("h3", {}, t("handPhones")), result.phones.length > 0 ? board(result.phones, false) : empty(t("noRows")),
    el("h3", {}, t("handGives")), grants(result.gives, t("handGives")),
    result.done ? null : deed(t("handNow"), async () => {
      const done = await post("/v1/handover", order);
      out.replaceChildren(...plan(done, order, out));
      out.focus();
      say(t("handDone"));
    }, true),
  ].filter(Boolean);
}
