// One record: everything that was ever said about it, and who has seen it.

import { get } from "./api.js";
import { el, opened } from "./draw.js";
import { t } from "./say.js";
import { seen } from "./seen.js";
import { href, may, state } from "./state.js";
import { titleOf } from "./values.js";
import { statements } from "./witness.js";

// record is the page of a record, which is called as it was last said to be.
export async function record(id) {
  const { statements: said } = await get(`/v1/records/${id}/history`);
  const title = titleOf({ kind: said[0]?.kind, fields: Object.assign({}, ...said.map((s) => s.fields)) });
  return [el("div", { class: "case" }, el("p", {}, el("a", { href: href({}) }, `‹ ${t("back")}`)), el("h2", {}, title),
    statements(said, t("everything", { what: title })), mayAsk(said.at(-1)?.area) ? opened(t("whoSaw"), () => seen(id)) : null)];
}

// Those who decide in its area, and auditors, may ask who saw a record. Asking is noted.
const mayAsk = (area) => Boolean(state.me) && (may("audit", area) || may("decide", area));

// everything that was ever said about a record, read when it is opened.
export const everything = (r, title) => opened(t("everything", { what: title }), async () => {
  const { statements: said } = await get(`/v1/records/${r.id}/history`);
  return statements(said, title);
});

// whoSaw a record, read when it is opened.
export const whoSaw = (r, title) => (mayAsk(r.area) ? opened(`${t("whoSaw")}：${title}`, () => seen(r.id)) : null);
