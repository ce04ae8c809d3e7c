// Who has seen a record: who was shown it, and on whose phones it lies.

import { get } from "./api.js";
import { PAGE, el, empty, listing, pages, row } from "./draw.js";
import { lines } from "./lines.js";
import { moment, t } from "./say.js";
import { nameOf } from "./state.js";
import { short } from "./values.js";

export async function seen(id) {
  let phones = null;
  const list = await pages(async (after) => {
    const answer = await get(`/v1/records/${id}/seen`, { after, limit: PAGE });
    phones ??= answer.on_phones_of ?? [];
    const n = answer.lines?.length ?? 0;
    return { next: String(answer.next ?? ""), n, node: n > 0 ? lines(answer.lines, t("whoSaw")) : empty(t(nothing(answer.next, after))) };
  });
  return el("div", {}, el("p", { class: "w" }, t("seenNote")), list, el("h3", {}, t("onPhonesOf")),
    phones.length > 0 ? onPhones(phones) : empty(t("onNoPhone")));
}

// nothing says what it means that a page is empty: others may follow, or have gone before.
const nothing = (next, after) => (next ? "noneNearby" : after ? "noRows" : "nobodySaw");

const onPhones = (phones) => listing(t("onPhonesOf"), [t("who"), t("role"), t("area"), t("device"), t("copyThere")], phones.map((p) => row(
  p.holder_name || short(p.holder), t(`role.${p.role}`), nameOf(p.area), p.name, `${moment(p.from)} – ${p.until ? moment(p.until) : t("stillThere")}`)));
