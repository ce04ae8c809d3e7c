// What holds in an area: its own settings, those that it has from above, and since when.

import { get, put } from "./api.js";
import { kindWord } from "./book.js";
import { choice, deed, el, labelled, listing, row, sure, tag } from "./draw.js";
import { today } from "./entry.js";
import { kindName } from "./question.js";
import { both, has, moment, say, t } from "./say.js";
import { KINDS, may, nameOf, page, state } from "./state.js";
import { short } from "./values.js";

export async function settings() {
  const changes = may("configure") && Boolean(state.me);
  const [found, templates] = await Promise.all([get(`/v1/areas/${state.area}/settings`, { day: state.day }), changes ? get("/v1/templates").then((found) => found.definitions) : []]);
  return [
    el("p", { class: "w" }, t("settingsNote", { day: found.day })),
    listing(t("settings"), [t("setting"), t("holds"), t("setIn"), t("doing")], found.settings.map((s) => line(s, changes ? templates : null))),
    changes ? another(found, templates) : "",
    ...(found.history?.length > 0 ? [el("h2", {}, t("settingHistory")), listing(t("settingHistory"), [t("setting"), t("holds"), t("fromDay"), t("who"), t("when")],
      found.history.map((h) => row(wordFor(found, h.name), h.value === undefined || h.value === null ? t("likeAbove") : shown(h.value), h.from, h.by_name || (h.by ? short(h.by) : ""), moment(h.at))))] : []),
  ];
}

const wordFor = (found, name) => wordOf(found.settings.find((s) => s.name === name) ?? { name, label: { zh: name, en: name } });

// wordOf is what a setting is called: of those for one kind, with the kind.
function wordOf(s) {
  const [family, kind] = s.name.split(".");
  if (!kind) return both(s.label);
  return t(family === "template" ? "templateOf" : "dueHoursOf", { what: family === "template" ? kindWord(kind) : kindName(kind) });
}

// shown is a value as people say it: colours by their names, days as days.
function shown(v, unit) {
  if (v === undefined || v === null) return t("none");
  if (unit === "d") return t("span.day", { n: v });
  if (unit === "h") return t("span.hour", { n: v });
  return `${Array.isArray(v) ? v.map(colour).join("、") : v}${unit ? ` ${unit}` : ""}`;
}

const colour = (code) => (has(`colour.${code}`) ? t(`colour.${code}`) : code);

// line is a setting; templates are there for those who may change it.
function line(s, templates) {
  const from = s.own ? tag(t("ownSetting")) : s.from ? nameOf(s.from) : t("byDefault");
  const template = s.name.startsWith("template.") && templates?.find((d) => d.name === s.value);
  return row(wordOf(s), template ? both(template.label) : shown(s.value ?? s.default, s.unit), from, templates ? changing(s, templates) : "");
}

// COLOURS are those that there are, in no order: an area puts them into one.
const COLOURS = ["blue", "green", "yellow", "orange", "red", "purple", "grey"];

// control asks for a setting's value, and reads it: undefined if there is none.
function control(s, templates) {
  const now = s.value ?? s.default;
  if (s.name.startsWith("template.")) {
    const list = templateChoice(s.name.slice("template.".length), templates, now);
    return [list, () => list.value || undefined];
  }
  if (s.type === "choices") {
    const words = el("input", { type: "text", value: (now ?? []).map(colour).join("、") });
    return [words, () => {
      const list = words.value.split(/[,，、\s]+/).filter(Boolean).map((word) => COLOURS.find((code) => code === word || colour(code) === word) ?? word);
      return list.length > 0 ? list : undefined;
    }];
  }
  const number = s.type === "integer" || s.type === "decimal";
  const box = el("input", { type: number ? "number" : "text", step: s.type === "integer" ? "1" : "any", min: s.min, max: s.max, value: now ?? "" });
  return [box, () => (box.value.trim() === "" ? undefined : number ? Number(box.value) : box.value.trim())];
}

const templateChoice = (kind, templates, chosen) => choice({}, templates.filter((d) => d.kind === kind && d.version).map((d) => [d.name, both(d.label)]), chosen);

// put one setting from a day on; null is what holds above.
async function set(name, value, from) {
  await put(`/v1/areas/${state.area}/settings`, { changes: [{ name, from: from || undefined, value }] });
  await page.show();
  say(t("settingSaved"));
}

// another sets what holds for one kind of question or of record, and has not been set yet.
function another(found, templates) {
  const there = new Set(found.settings.map((s) => s.name));
  const names = [...KINDS.map((kind) => [`due_hours.${kind}`, t("dueHoursOf", { what: kindName(kind) })]),
    ...new Set(templates.map((d) => d.kind))].map((one) => (Array.isArray(one) ? one : [`template.${one}`, t("templateOf", { what: kindWord(one) })]))
    .filter(([name]) => !there.has(name));
  const name = choice({ id: "setting-name" }, names);
  const hours = el("input", { id: "setting-hours", type: "number", min: "1" });
  const template = el("select", { id: "setting-template" });
  const from = el("input", { id: "setting-from", type: "date", value: today() });
  const [asHours, asTemplate] = [labelled(t("hours"), hours), labelled(t("template"), template)];
  const follow = () => {
    const kind = /^template\.(.+)$/.exec(name.value)?.[1];
    asHours.hidden = Boolean(kind);
    asTemplate.hidden = !kind;
    if (kind) template.replaceChildren(...templateChoice(kind, templates).childNodes);
  };
  name.addEventListener("change", follow);
  follow();
  return el("details", { class: "over" }, el("summary", {}, t("anotherSetting")), el("form", { class: "sheet grid", onsubmit: (event) => event.preventDefault() },
    labelled(t("setting"), name), asHours, asTemplate, labelled(t("fromDay"), from), deed(t("save"), () => {
      const value = asHours.hidden ? template.value : Number(hours.value);
      if (!value) throw new Error(t("needValue"));
      return set(name.value, value, from.value);
    }, true)));
}

// changing sets a value from a day on, or lets hold what holds above.
function changing(s, templates) {
  const [box, read] = control(s, templates);
  const from = el("input", { type: "date", value: today() });
  return sure(t("change"), labelled(t("holds"), box), labelled(t("fromDay"), from),
    deed(t("save"), () => {
      if (read() === undefined) throw new Error(t("needValue"));
      return set(s.name, read(), from.value);
    }, true), s.own ? deed(t("asAbove"), () => set(s.name, null, from.value)) : null);
}
