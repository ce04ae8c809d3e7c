// What holds in an area: its own settings, those that it has from above, and since when.

import { get, put } from "./api.js";
import { deed, el, labelled, listing, row, sure, tag } from "./draw.js";
import { today } from "./entry.js";
import { both, moment, say, t } from "./say.js";
import { may, nameOf, page, state } from "./state.js";
import { short } from "./values.js";

export async function settings() {
  const found = await get(`/v1/areas/${state.area}/settings`, { day: state.day });
  return [
    el("p", { class: "w" }, t("settingsNote", { day: found.day })),
    listing(t("settings"), [t("setting"), t("holds"), t("setIn"), t("doing")], found.settings.map(line)),
    ...(found.history?.length > 0 ? [el("h2", {}, t("settingHistory")), listing(t("settingHistory"), [t("setting"), t("holds"), t("fromDay"), t("who"), t("when")],
      found.history.map((h) => row(wordFor(found, h.name), h.value === undefined || h.value === null ? t("likeAbove") : shown(h.value), h.from, h.by_name || (h.by ? short(h.by) : ""), moment(h.at))))] : []),
  ];
}

const wordFor = (found, name) => both(found.settings.find((s) => s.name === name)?.label ?? { zh: name, en: name });

function shown(v, unit) {
  if (v === undefined || v === null) return t("none");
  return `${Array.isArray(v) ? v.join("、") : v}${unit ? ` ${unit}` : ""}`;
}

function line(s) {
  const from = s.own ? tag(t("ownSetting")) : s.from ? nameOf(s.from) : t("byDefault");
  return row(`${both(s.label)}`, shown(s.value ?? s.default, s.unit), from, may("configure") && state.me ? changing(s) : "");
}

// changing sets a value from a day on, or lets hold what holds above.
function changing(s) {
  const number = s.type === "integer" || s.type === "decimal";
  const value = el("input", { type: number ? "number" : "text", step: s.type === "integer" ? "1" : "any", min: s.min, max: s.max,
    value: Array.isArray(s.value ?? s.default) ? (s.value ?? s.default).join(",") : (s.value ?? s.default ?? "") });
  const from = el("input", { type: "date", value: today() });
  const send = async (v) => {
    await put(`/v1/areas/${state.area}/settings`, { changes: [{ name: s.name, from: from.value || undefined, value: v }] });
    await page.show();
    say(t("settingSaved"));
  };
  return sure(t("change"), labelled(t("holds"), value), labelled(t("fromDay"), from),
    deed(t("save"), () => {
      if (value.value.trim() === "") throw new Error(t("needValue"));
      const list = s.type === "choices" ? value.value.split(/[,，、\s]+/).filter(Boolean) : value.value.trim();
      return send(number ? Number(value.value) : list);
    }, true), s.own ? deed(t("asAbove"), () => send(null)) : null);
}
