// Small curves side by side, one for each measure: each on its own scale, from zero, and
// read out as a table by whoever can't see them.

import { $, el, table } from "./draw.js";
import { both, count, t } from "./say.js";

const WIDE = 220;
const HIGH = 60;

// drawn makes an element of a drawing.
function drawn(tag, attributes, ...children) {
  const node = document.createElementNS($("pen").namespaceURI, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

// curve is a measure's way through the days. One day alone is a point.
function curve(values, words) {
  const top = Math.max(1, ...values);
  const low = Math.min(0, ...values);
  const x = (i) => (values.length === 1 ? WIDE / 2 : 3 + (i * (WIDE - 6)) / (values.length - 1));
  const y = (n) => 4 + ((top - n) * (HIGH - 8)) / (top - low);
  const points = values.map((n, i) => `${x(i).toFixed(1)},${y(n).toFixed(1)}`);
  const last = values.length - 1;
  return drawn("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, class: "curve", role: "img", "aria-label": words },
    drawn("line", { x1: 0, x2: WIDE, y1: y(0), y2: y(0), class: "zero" }),
    drawn("polygon", { points: [`${x(0)},${y(0)}`, ...points, `${x(last)},${y(0)}`].join(" "), class: "under" }),
    drawn("polyline", { points: points.join(" "), class: "line" }),
    drawn("circle", { cx: x(last), cy: y(values[last]), r: 3, class: "last" }));
}

// multiples are the curves of a series, those first that move at all. link gives where a
// measure's number opens to.
export function multiples(series, link) {
  const moving = series.curves.filter((c) => c.values.some((n) => n !== c.values[0]) || c.values[0] !== 0);
  const still = series.curves.filter((c) => !moving.includes(c));
  const figure = (c) => {
    const [first, last] = [c.values[0], c.values.at(-1)];
    const [least, most] = [Math.min(...c.values), Math.max(...c.values)];
    const unit = t(`unit.${c.unit}`);
    const words = t("curveWords", { what: both(c.label), first: count(first), last: count(last), least: count(least), most: count(most), unit });
    return el("figure", { class: "card" }, el("figcaption", {}, el("a", { href: link(c.measure) }, both(c.label)), " ", el("small", {}, unit)),
      curve(c.values, words),
      el("div", { class: "ends" }, el("span", {}, count(first)), el("span", {}, t("mostly", { n: count(most) })), el("b", {}, count(last))));
  };
  return [
    el("p", { class: "w" }, t("curveDays", { from: series.days[0], to: series.days.at(-1), n: series.days.length })),
    el("div", { class: "multiples" }, ...moving.map(figure)),
    still.length > 0 ? el("p", { class: "w" }, t("curvesStill", { what: still.map((c) => both(c.label)).join("、") })) : null,
    moving.length > 0 ? el("details", { class: "over" }, el("summary", {}, t("asTable")), table(t("asTable"),
      [t("day"), ...moving.map((c) => both(c.label))],
      series.days.map((day, i) => el("tr", {}, el("th", { scope: "row" }, day), ...moving.map((c) => el("td", {}, count(c.values[i]))))))) : null,
  ].filter(Boolean);
}
