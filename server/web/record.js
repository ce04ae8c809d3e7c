// One record: everything that was ever said about it, and who has seen it.

import { get } from "./api.js";
import { PAGE, el, empty, pages, row, listing } from "./draw.js";
import { moment, t } from "./say.js";
import { href, may, nameOf, state } from "./state.js";
import { short, titleOf } from "./values.js";
import { lines } from "./audit.js";
import { statements } from "./witness.js";

// record is the page of a record.
export async function record(id) {
  const { statements: said } = await get(`/v1/records/${id}/history`);
  const who = mayAsk(said.at(-1)?.area) ? opened(t("whoSaw"), () => seen(id)) : null;
  return [el("div", { class: "case" }, el("p", {}, el("a", { href: href({}) }, `‹ ${t("back")}`)), statements(said, t("everything", { what: short(id) })), who)];
}

// Those who decide in its area, and auditors, may ask who saw a record. Asking is noted.
const mayAsk = (area) => Boolean(state.me) && (may("audit", area) || may("decide", area));

// everything that was ever said about a record, read when it is opened.
export const everything = (r) => opened(t("everything", { what: titleOf(r) }), async () => {
  const { statements: said } = await get(`/v1/records/${r.id}/history`);
  return statements(said, titleOf(r));
});

// whoSaw a record, read when it is opened.
export const whoSaw = (r) => (mayAsk(r.area) ? opened(`${t("whoSaw")}：${titleOf(r)}`, () => seen(r.id)) : null);

// opened is read when it is opened, not before.
function opened(title, read) {
  const holder = el("div");
  return el("details", { ontoggle: async (event) => {
    if (!event.target.open || holder.hasChildNodes()) return;
    try {
      holder.replaceChildren(await read());
    } catch (error) {
      holder.replaceChildren(empty(error.message));
    }
  } }, el("summary", {}, title), holder);
}

async function seen(id) {
  let phones = null;
  const list = await pages(async (after) => {
    const answer = await get(`/v1/records/${id}/seen`, { after, limit: PAGE });
    phones ??= answer.on_phones_of ?? [];
    const n = answer.lines?.length ?? 0;
    return { next: String(answer.next ?? ""), n, node: n > 0 ? lines(answer.lines, t("whoSaw")) : empty(t("nobodySaw")) };
  });
  return el("div", {}, el("p", { class: "w" }, t("seenNote")), list, el("h3", {}, t("onPhonesOf")),
    phones.length > 0 ? onPhones(phones) : empty(t("onNoPhone")));
}

const onPhones = (phones) => listing(t("onPhonesOf"), [t("who"), t("role"), t("area"), t("device"), t("copyThere")], phones.map((p) => row(
  p.holder_name || short(p.holder), t(`role.${p.role}`), nameOf(p.area), p.name, `${moment(p.from)} – ${p.until ? moment(p.until) : t("stillThere")}`)));
