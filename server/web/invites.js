// Invitations: making one, handing it out on paper or by its link, withdrawing it.

import { get, post } from "./api.js";
import { choice, deed, el, empty, labelled, listing, row, sure, tag, ticked } from "./draw.js";
import { areaChoices, roleChoices } from "./grants.js";
import { dayEnd, dayOf, dayStart, moment, say, t } from "./say.js";
import { nameOf, state } from "./state.js";

export async function invites() {
  const [out, all] = [el("div", { id: "made", tabindex: "-1" }), el("div")];
  const refresh = async () => {
    const { invites: found } = await get(`/v1/areas/${state.area}/invites`);
    const [open, over] = [true, false].map((want) => found.filter((i) => (standingOf(i) === "open") === want));
    all.replaceChildren(open.length > 0 ? list(open, refresh) : empty(t("noneOpen")),
      over.length > 0 ? el("details", { class: "over" }, el("summary", {}, t("invitesOver", { n: over.length })), list(over, refresh)) : "");
  };
  await refresh();
  return [makeOne(out, refresh), out, all];
}

function makeOne(out, refresh) {
  const area = choice({ id: "invite-area" }, areaChoices());
  const role = choice({ id: "invite-role" }, roleChoices());
  const [from, to] = ["from", "to"].map((id) => el("input", { id: `invite-${id}`, type: "date" }));
  const uses = el("input", { id: "invite-uses", type: "number", min: "1", max: "1000", value: "1" });
  const hours = choice({ id: "invite-hours" }, [["24", t("span.day", { n: 1 })], ["72", t("span.day", { n: 3 })], ["168", t("span.day", { n: 7 })], ["336", t("span.day", { n: 14 })]]);
  const confirm = el("input", { id: "invite-confirm", type: "checkbox" });
  const label = el("input", { id: "invite-label", maxlength: "80", placeholder: t("labelExample") });
  uses.addEventListener("input", () => { confirm.checked = Number(uses.value) > 1; });
  return el("form", { class: "sheet grid", onsubmit: (event) => event.preventDefault() }, el("h2", {}, t("makeInvite")),
    labelled(t("area"), area), labelled(t("role"), role), labelled(t("fromOrNow"), from), labelled(t("untilOrOpen"), to),
    labelled(t("uses"), uses), labelled(t("validFor"), hours), labelled(t("label"), label), ticked(t("confirmEach"), confirm),
    deed(t("makeInvite"), async () => {
      if (!area.value) return say(t("needArea"), true);
      const made = await post("/v1/invites", {
        area: area.value, role: role.value, from: dayStart(from.value), to: dayEnd(to.value),
        uses: Number(uses.value), hours: Number(hours.value), confirm: confirm.checked, label: label.value.trim(),
      });
      out.replaceChildren(handOut(made));
      await refresh();
      out.focus();
      say(t("inviteMade"));
    }, true));
}

// handOut is an invitation as it is handed out. Its code can't be had again.
export function handOut(made) {
  return el("article", { class: "sheet print" },
    el("h2", {}, `${nameOf(made.area)} · ${t(`role.${made.role}`)}`), made.label ? el("p", {}, made.label) : null,
    el("img", { class: "qr", src: made.qr, alt: t("qrOfLink"), width: "320", height: "320" }),
    el("p", { class: "code" }, made.code),
    el("p", { class: "link" }, made.link),
    el("p", {}, t("inviteTerms", { n: made.uses, until: moment(made.expires) }), " ", made.confirm ? t("someoneConfirms") : ""),
    el("p", { class: "note unprinted" }, t("codeOnce")),
    el("p", { class: "act unprinted" }, el("button", { type: "button", onclick: () => window.print() }, t("print"))));
}

// standingOf says whether an invitation can still be used.
function standingOf(i) {
  if (i.ended) return "withdrawn";
  if (i.left === 0) return "spent";
  return i.expires <= state.now ? "expired" : "open";
}

// list withdraws without drawing the page anew, on which a code may stand that is shown once.
const list = (found, refresh) => listing(t("people.invites"), [t("label"), t("area"), t("role"), t("made"), t("expires"), t("used"), t("status"), t("doing")], found.map((i) => {
  const standing = standingOf(i);
  return row(i.label || "—", nameOf(i.area), [t(`role.${i.role}`), " ", i.confirm ? tag(t("confirmed")) : null], moment(i.made), moment(i.expires),
    `${i.uses - i.left}/${i.uses}`, [tag(t(`invite.${standing}`)), i.to ? ` ${t("untilDay")} ${dayOf(i.to - 1)}` : ""],
    standing === "open" ? sure(t("withdraw"), deed(t("withdrawNow"), async () => {
      await post(`/v1/invites/${i.id}/withdraw`, {});
      await refresh();
      say(t("inviteWithdrawn"));
    })) : "");
}));
