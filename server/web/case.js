// One question, with everything that a decider needs.

import { acts } from "./acts.js";
import { get, why } from "./api.js";
import { kindWord } from "./book.js";
import { el, empty, table, tag, tags } from "./draw.js";
import { stateTags, subject, whenDue } from "./question.js";
import { everything, whoSaw } from "./record.js";
import { both, count, has, moment, t } from "./say.js";
import { href, nameOf, state } from "./state.js";
import { comparable, folded, isMasked, labelOf, saidMarked, same, titleOf, value } from "./values.js";
import { by, personName, statements, witness } from "./witness.js";

// CHECKED are the fields that a check on one record looks at.
const CHECKED = { odd_temperature: ["value"], birth_contradicted: ["birth", "id_number"] };

// openCase draws a question; note says why it is drawn anew.
export async function openCase(id, note = "") {
  let c;
  try {
    c = await get(`/v1/review/${id}`);
  } catch (error) {
    return empty(error.message);
  }
  state.names = new Map([...(c.neighbours ?? []), ...(c.records ?? [])].map((row) => [row.id, titleOf(row)]));
  return el("article", {},
    el("p", { class: "back" }, el("a", { href: href({}) }, `‹ ${t("back")}`)),
    note ? el("p", { class: "note", role: "alert" }, note) : null,
    el("header", {}, el("h2", {}, [about(c), subject(c)].filter(Boolean).join("：")), el("div", {}, ...stateTags(c).filter(Boolean)), el("small", {}, whenDue(c))),
    ...bodyOf(c), acts(c, openCase), around(c), happened(c), earlier(c), ...toldOf(c.records ?? []));
}

// toldOf leads to what was said of each record, and to who saw it.
const toldOf = (records) => records.flatMap((row, i) => {
  const title = records.length > 1 ? `${t(i === 0 ? "first" : "second")} · ${titleOf(row)}` : titleOf(row);
  return [everything(row, title), whoSaw(row, title)].filter(Boolean);
});

// about names the person or the household that a reading or a visit is of.
function about(c) {
  const row = c.records?.[0];
  const id = row && !row.fields.name && !row.fields.address ? row.fields.person ?? row.fields.household : undefined;
  return state.names.get(id) ?? "";
}

function bodyOf(c) {
  if (c.kind === "parked") return [c.waiting ? waiting(c.waiting) : null].filter(Boolean);
  if (c.kind === "restated") return [driftTable(c.drift ?? [])];
  const records = c.records ?? [];
  const body = c.window ? [windowOf(c.window)] : [];
  if (c.kind === "duplicate" || c.kind === "double_visit") body.push(evidence(c.evidence ?? []));
  if (records.length === 2) body.push(sideBySide(records));
  else if (records.length === 1) body.push(...oneRecord(c, records[0]));
  return body;
}

// oneRecord shows the values in doubt side by side, and the rest below.
function oneRecord(c, row) {
  const doubts = row.values.filter((f) => f.values.length > 0 && (f.disputed || f.name === c.field || CHECKED[c.field]?.includes(f.name)));
  const rest = row.values.filter((f) => !doubts.includes(f) && f.values.length > 0);
  return [
    ...doubts.map((f) => doubt(c, f)),
    el("details", {}, el("summary", {}, t("otherFields")), el("dl", {}, ...rest.flatMap((f) => [
      el("dt", {}, both(f.label)), el("dd", {}, ...f.values.flatMap((v) => [el("span", {}, saidMarked(f.name, v.value)), " ", ...by(v.witnesses)]))]))),
  ].filter(Boolean);
}

// doubt is one field in doubt: every live value with all who say so, and another to type.
// Nobody chooses among values that they don't see.
function doubt(c, f) {
  const name = `choice-${f.name}`;
  const number = typeof f.values[0].value === "number";
  const choosing = Object.values(c.acts ?? {}).some((may) => may.includes("choose")) && !f.values.some((v) => isMasked(v.value));
  const radio = (v, label) => (choosing ? el("label", { class: "pick" }, el("input", { type: "radio", name, value: JSON.stringify(v) }), label) : label);
  const claims = f.values.map((v, i) => el("div", { class: i === 0 ? "claim shown" : "claim" },
    radio(v.value, el("span", { class: "v" }, saidMarked(f.name, v.value))),
    i === 0 ? tag(t("shown")) : null, ...v.witnesses.map(witness)));
  return el("fieldset", { class: choosing ? "doubt choosing" : "doubt", "data-field": f.name, "data-number": String(number) },
    el("legend", {}, both(f.label)), el("div", { class: "claims" }, ...claims, choosing && f.name !== "exit" ? another(f, name, number) : null));
}

function another(f, name, number) {
  const chosen = el("input", { type: "radio", name, value: "typed" });
  return el("div", { class: "claim" }, el("label", { class: "pick" }, chosen, el("span", {}, t("typeAnother"))),
    el("input", { id: `typed-${f.name}`, "aria-label": `${both(f.label)} · ${t("typeAnother")}`, inputmode: number ? "decimal" : "text",
      onfocus: () => { chosen.checked = true; } }));
}

function evidence(parts) {
  return el("p", { class: "evidence" }, `${t("evidence")}：`, ...parts.map((e) =>
    el("span", { class: e.points < 0 ? "tag alarm" : "tag" }, `${t(`part.${e.part}`)} ${e.points > 0 ? "+" : ""}${e.points}`)));
}

// sideBySide holds two records against each other, field by field.
function sideBySide([a, b]) {
  const names = [...new Set([...a.values, ...b.values].map((f) => f.name))];
  const find = (row, name) => row.values.find((f) => f.name === name);
  const cell = (f) => el("td", {}, ...(f?.values ?? []).flatMap((v) => [el("div", {}, saidMarked(f.name, v.value)), el("div", { class: "w" }, ...by(v.witnesses))]));
  const rows = names.filter((n) => find(a, n)?.values.length || find(b, n)?.values.length).map((n) => {
    const [one, other] = [find(a, n), find(b, n)];
    const [x, y] = [one?.values[0]?.value, other?.values[0]?.value];
    const agree = x === undefined || y === undefined || !comparable(x, y) ? "single" : same(folded(x), folded(y)) ? "agree" : "differ";
    return el("tr", { class: agree }, el("th", { scope: "row" }, both((one ?? other).label)), cell(one), cell(other));
  });
  const who = (row) => el("div", {}, ...[row.values.find((f) => f.values.length)?.values[0].witnesses[0]].filter(Boolean).map(witness));
  rows.unshift(el("tr", {}, el("th", { scope: "row" }, t("who")), el("td", {}, who(a)), el("td", {}, who(b))));
  return table(t("compare"), [t("field"), `${t("first")} · ${nameOf(a.area)}`, `${t("second")} · ${nameOf(b.area)}`], rows, true);
}

function waiting(w) {
  return el("div", { class: "claim" }, witness(w),
    w.reason ? el("p", {}, el("span", { class: "tag alarm" }, t("waitsBecause")), why(w.reason)) : null,
    el("dl", {}, el("dt", {}, labelOf("area")), el("dd", {}, nameOf(w.area)), ...fieldsOf(w.fields, w.kind)));
}

const fieldsOf = (fields, kind) => Object.entries(fields).flatMap(([name, v]) => [el("dt", {}, labelOf(name, kind)), el("dd", {}, saidMarked(name, v, kind))]);

function windowOf(w) {
  return el("div", {}, el("p", {}, el("b", {}, both(w.label)), el("br"),
    t("window", { who: w.who, from: moment(w.start), to: moment(w.end), n: count(w.count) })),
  el("details", { open: true }, el("summary", {}, t("windowList")), statements(w.entered ?? [], t("windowList"))));
}

function driftTable(drift) {
  return table(t("drift"), [t("measure"), t("signed"), t("now"), t("difference")], drift.map((d) => el("tr", {},
    el("th", { scope: "row" }, both(d.label)), el("td", {}, count(d.signed)), el("td", {}, count(d.now)),
    el("td", { class: "alarm" }, `${d.now > d.signed ? "+" : ""}${count(d.now - d.signed)}`))));
}

function around(c) {
  const rows = c.neighbours ?? [];
  if (rows.length === 0) return null;
  return el("details", {}, el("summary", {}, `${t("neighbours")} ${rows.length}`), el("dl", {}, ...rows.flatMap((row) => [
    el("dt", {}, kindWord(row.kind)), el("dd", {}, titleOf(row), " ", el("small", {}, [nameOf(row.area), ...["sex", "birth", "residence", "tenure", "headcount"]
      .map((f) => value(f, row.fields[f], true))].filter(Boolean).join(" · ")), ...tags(row.flags))])));
}

function happened(c) {
  const detail = (h) => {
    if (has(`end.${h.detail}`)) return t(`end.${h.detail}`);
    return h.what === "assigned" ? personName(c, h.detail) : nameOf(h.detail ?? "");
  };
  return el("details", { open: true }, el("summary", {}, t("history")), el("ol", { class: "events" }, ...c.history.map((h) =>
    el("li", {}, el("span", {}, moment(h.at)), " ", t(`what.${h.what}`), " ", detail(h), h.by ? ` · ${h.by.name}` : ""))));
}

const earlier = (c) => (c.earlier?.length ? el("details", {}, el("summary", {}, `${t("earlier")} ${c.earlier.length}`), statements(c.earlier, t("earlier"))) : null);
