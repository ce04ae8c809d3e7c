// Entering records at the desk: a notice, a round, a task. They are records like those of
// any phone, and merge like them.

import { post, why } from "./api.js";
import { fieldOf, formOf } from "./book.js";
import { choice, deed, el, labelled } from "./draw.js";
import { both, dayOf, moment, say, t } from "./say.js";
import { page, state } from "./state.js";

// newId makes the id of a new record: the time, and chance (RFC 9562, version 7).
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const now = BigInt(Date.now());
  for (let i = 0; i < 6; i++) bytes[i] = Number((now >> BigInt(8 * (5 - i))) & 0xffn);
  bytes[6] = (bytes[6] & 0x0f) | 0x70;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((b) => b.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

// enter enters steps, all or none: {record, kind, area, base, fields} each.
export async function enter(...steps) {
  const done = await post("/v1/entries", { author: state.me.author, steps });
  if (done.error) throw new Error(why(done.error));
  return done;
}

// typed reads what stands in a control as its field's type has it; undefined for nothing.
function typed(field, control) {
  if (field.type === "choices") {
    const ticked = [...control.querySelectorAll("input:checked")].map((box) => box.value);
    return ticked.length > 0 ? ticked : undefined;
  }
  if (control.value === "") return undefined;
  switch (field.type) {
    case "integer": case "decimal": return Number(control.value);
    case "boolean": return control.value === "true";
    case "time": return Date.parse(`${control.value}:00+08:00`);
    default: return control.value.trim();
  }
}

// control is what a field is answered by.
function control(field, id, preset) {
  const attributes = { id, required: field.required ?? false };
  const none = field.required ? [] : [["", "—"]];
  switch (field.type) {
    case "choice": return choice(attributes, [...none, ...field.choices.map((o) => [o.code, both(o.label)])], preset);
    case "boolean": return choice(attributes, [["", "—"], ["true", t("v.true")], ["false", t("v.false")]], preset);
    case "choices": return el("span", { id, class: "ticks", role: "group" }, ...field.choices.map((o) =>
      el("label", { class: "pick" }, el("input", { type: "checkbox", value: o.code }), both(o.label))));
    case "integer": return el("input", { ...attributes, type: "number", step: "1", min: field.min, max: field.max, value: preset });
    case "decimal": return el("input", { ...attributes, type: "number", step: "any", min: field.min, max: field.max, value: preset });
    case "date": return el("input", { ...attributes, type: "date", value: preset });
    case "time": return el("input", { ...attributes, type: "datetime-local", value: preset });
    default:
      if ((field.max ?? 0) > 200) return el("textarea", { ...attributes, maxlength: field.max, rows: "3" }, preset ?? "");
      return el("input", { ...attributes, maxlength: field.max, value: preset });
  }
}

// now and today are what fields of these types begin with.
export const now = () => moment(state.now - 2000).replace(" ", "T");
export const today = () => dayOf(state.now - 2000);

// entryForm asks for some fields of a kind, and enters a record of it in an area. preset are
// what fields begin with, fixed what isn't asked.
export function entryForm({ kind, names, preset = {}, fixed = {}, title, done, area = () => state.area }) {
  if (!state.me || !formOf(kind)) return null;
  const asked = names.map((name) => fieldOf(kind, name)).filter((f) => f && !f.retired);
  const controls = asked.map((f) => [f, control(f, `enter-${kind}-${f.name}`, preset[f.name])]);
  const form = el("form", { class: "sheet grid", id: `enter-${kind}`, onsubmit: (event) => event.preventDefault() }, el("h2", {}, title),
    ...controls.map(([f, c]) => {
      const words = both(f.label) + (f.unit ? `（${f.unit}）` : "") + (f.required ? " *" : "");
      const whole = c.tagName === "SPAN" ? el("div", { class: "labelled" }, el("span", {}, words), c) : labelled(words, c);
      if (c.tagName === "TEXTAREA" || c.tagName === "SPAN") whole.classList.add("wide");
      if (f.hint) whole.append(el("small", {}, both(f.hint)));
      return whole;
    }),
    deed(title, async () => {
      const wrong = controls.find(([, c]) => c.checkValidity && !c.checkValidity());
      if (wrong) {
        wrong[1].focus();
        return say(t("needField", { field: both(wrong[0].label) }), true);
      }
      const said = controls.map(([f, c]) => [f.name, typed(f, c)]).filter(([, v]) => v !== undefined && v !== "");
      const made = await enter({ record: newId(), kind, area: area(), base: 0, fields: { ...Object.fromEntries(said), ...fixed } });
      await page.show();
      say(made.outcomes?.[0] === "parked" ? t("enteredWaits") : done ?? t("enteredNow"));
    }, true));
  return form;
}
