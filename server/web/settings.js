// What holds in an area: its own settings, those that it has from above, and since when.

import { get, put } from "./api.js";
import { kindWord } from "./book.js";
import { choice, deed, el, labelled, listing, row, sure, tag } from "./draw.js";
import { today } from "./entry.js";
import { both, has, moment, say, t } from "./say.js";
import { kindName } from "./question.js";
import { KINDS, may, nameOf, page, state } from "./state.js";
import { short } from "./values.js";

export async function settings() {
  const found = await get(`/v1/areas/${state.area}/settings`, { day: state.day });
  return [
    el("p", { class: "w" }, t("settingsNote", { day: found.day })),
    listing(t("settings"), [t("setting"), t("holds"), t("setIn"), t("doing")], found.settings.map(line)),
    may("configure") && state.me ? await another(found) : "",
    ...(found.history?.length > 0 ? [el("h2", {}, t("settingHistory")), listing(t("settingHistory"), [t("setting"), t("holds"), t("fromDay"), t("who"), t("when")],
      found.history.map((h) => row(wordFor(found, h.name), h.value === undefined || h.value === null ? t("likeAbove") : shown(h.value), h.from, h.by_name || (h.by ? short(h.by) : ""), moment(h.at))))] : []),
  ];
}

const wordFor = (found, name) => both(found.settings.find((s) => s.name === name)?.label ?? { zh: name, en: name });

// shown is a value as people say it: colours by their names, days as days.
function shown(v, unit) {
  if (v === undefined || v === null) return t("none");
  if (unit === "d") return t("span.day", { n: v });
  if (unit === "h") return t("span.hour", { n: v });
  return `${Array.isArray(v) ? v.map(colour).join("、") : v}${unit ? ` ${unit}` : ""}`;
}

const colour = (code) => (has(`colour.${code}`) ? t(`colour.${code}`) : code);

function line(s) {
  const from = s.own ? tag(t("ownSetting")) : s.from ? nameOf(s.from) : t("byDefault");
  return row(`${both(s.label)}`, shown(s.value ?? s.default, s.unit), from, may("configure") && state.me ? changing(s) : "");
}

// put one setting from a day on; null is what holds above.
async function set(name, value, from) {
  await put(`/v1/areas/${state.area}/settings`, { changes: [{ name, from: from || undefined, value }] });
  await page.show();
  say(t("settingSaved"));
}

// another sets what holds for one kind of question or of record, and has not been set yet.
async function another(found) {
  const { definitions } = await get("/v1/templates");
  const there = new Set(found.settings.map((s) => s.name));
  const names = [...KINDS.map((kind) => [`due_hours.${kind}`, t("dueHoursOf", { what: kindName(kind) })]),
    ...new Set(definitions.map((d) => d.kind))].map((one) => (Array.isArray(one) ? one : [`template.${one}`, t("templateOf", { what: kindWord(one) })]))
    .filter(([name]) => !there.has(name));
  const name = choice({ id: "setting-name" }, names);
  const hours = el("input", { id: "setting-hours", type: "number", min: "1" });
  const template = choice({ id: "setting-template" }, []);
  const from = el("input", { id: "setting-from", type: "date", value: today() });
  const [asHours, asTemplate] = [labelled(t("hours"), hours), labelled(t("template"), template)];
  const follow = () => {
    const kind = /^template\.(.+)$/.exec(name.value)?.[1];
    asHours.hidden = Boolean(kind);
    asTemplate.hidden = !kind;
    template.replaceChildren(...definitions.filter((d) => d.kind === kind && d.version).map((d) => el("option", { value: d.name }, both(d.label))));
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
function changing(s) {
  const number = s.type === "integer" || s.type === "decimal";
  const value = el("input", { type: number ? "number" : "text", step: s.type === "integer" ? "1" : "any", min: s.min, max: s.max,
    value: Array.isArray(s.value ?? s.default) ? (s.value ?? s.default).join(",") : (s.value ?? s.default ?? "") });
  const from = el("input", { type: "date", value: today() });
  const send = (v) => set(s.name, v, from.value);
  return sure(t("change"), labelled(t("holds"), value), labelled(t("fromDay"), from),
    deed(t("save"), () => {
      if (value.value.trim() === "") throw new Error(t("needValue"));
      const list = s.type === "choices" ? value.value.split(/[,，、\s]+/).filter(Boolean) : value.value.trim();
      return send(number ? Number(value.value) : list);
    }, true), s.own ? deed(t("asAbove"), () => send(null)) : null);
}
