// What the page says: its catalogue in the language chosen, numbers and times as people
// write them, and the line that screen readers hear.

import { state } from "./state.js";
import { TEXTS as FORMS } from "./texts-forms.js";
import { TEXTS as PEOPLE } from "./texts-people.js";
import { TEXTS as WORK } from "./texts-work.js";
import { TEXTS as PAGE } from "./texts.js";

const TEXTS = { ...PAGE, ...FORMS, ...PEOPLE, ...WORK };

// t returns a text of the catalogue in the language chosen.
export function t(key, values = {}) {
  const pair = TEXTS[key];
  if (!pair) return key;
  return pair[state.english ? 1 : 0].replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

export const has = (key) => key in TEXTS;
export const both = (text) => (state.english ? text.en : text.zh);
export const count = (n) => n.toLocaleString("en-US");

const clock = new Intl.DateTimeFormat("sv-SE", { timeZone: "Asia/Shanghai", dateStyle: "short", timeStyle: "short" });
const calendar = new Intl.DateTimeFormat("sv-SE", { timeZone: "Asia/Shanghai", dateStyle: "short" });
export const moment = (ms) => clock.format(new Date(ms));
export const dayOf = (ms) => calendar.format(new Date(ms));

// Days are the grid's, wherever the browser is.
export const dayStart = (day) => (day ? Date.parse(`${day}T00:00:00+08:00`) : undefined);
export const dayEnd = (day) => (day ? dayStart(day) + 86400_000 : undefined);

const UNITS = [["day", 86400_000], ["hour", 3600_000], ["minute", 60_000], ["second", 1000]];

// ago says how long ago something was, by the server's clock.
export function ago(ms) {
  const [unit, size] = UNITS.find(([, size]) => Math.abs(state.now - ms) >= size) ?? UNITS[3];
  return new Intl.RelativeTimeFormat(state.english ? "en" : "zh-CN").format(-Math.trunc((state.now - ms) / size), unit);
}

// lasting says a length of time in its largest unit that comes to two or more.
export function lasting(ms) {
  const unit = UNITS.find(([, size]) => ms >= 2 * size) ?? UNITS[3];
  return t(`span.${unit[0]}`, { n: Math.round(ms / unit[1]) });
}

// say tells how things went, and stays in sight; whisper says what need not.
export const say = (text, alarm = false) => put(text, alarm ? "alarm" : "told");
export const whisper = (text) => put(text, "");

function put(text, name) {
  const line = document.getElementById("status");
  line.textContent = text;
  line.className = name;
}
