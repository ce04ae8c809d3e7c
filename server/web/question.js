// What a question is, in a line: its subject, its kind and state, when it is due.

import { checkWord } from "./book.js";
import { el } from "./draw.js";
import { moment, t } from "./say.js";
import { nameOf, state } from "./state.js";
import { labelOf, titleOf } from "./values.js";

export const kindName = (kind) => t(`ask.${kind}`);

export function subject(q) {
  if (q.record) return [titleOf(q.record), q.other ? titleOf(q.other) : ""].filter(Boolean).join(" ⇄ ");
  return t(q.kind === "parked" ? "waitingEntry" : "bucket");
}

export function stateTags(q) {
  const late = q.state !== "closed" && q.due < state.asOf;
  return [
    el("span", { class: q.state === "closed" ? "tag" : "tag alarm" }, kindName(q.kind)),
    ["conflict", "exit"].includes(q.kind) ? el("span", { class: "tag" }, labelOf(q.field, q.record?.kind)) : null,
    q.kind === "implausible" ? el("span", { class: "tag" }, checkOf(q.field)) : null,
    q.state === "open" ? null : el("span", { class: "tag" }, t(q.state === "returned" ? "stateReturned" : "stateClosed")),
    q.ending ? el("span", { class: "tag" }, t(`end.${q.ending}`)) : null,
    q.score ? el("span", { class: "tag" }, t("score", { n: q.score })) : null,
    late ? el("span", { class: "tag alarm" }, t("overdue")) : null,
  ];
}

// checkOf is the name of the check that a record fails; of a window it is one part.
function checkOf(field) {
  const name = field.split("/")[1] ?? field;
  return checkWord(name);
}

export const whenDue = (q) => [nameOf(q.area), t("openedAt", { at: moment(q.at) }), t("dueAt", { at: moment(q.due) }),
  q.assignee ? t("assignedTo", { who: q.assignee.name }) : ""].filter(Boolean).join(" · ");
