// Notices from here and above, the latest first; who has read each; issuing one.

import { get } from "./api.js";
import { optionWord } from "./book.js";
import { PAGE, deed, el, empty, listing, opened, pages, row, tag } from "./draw.js";
import { enter, entryForm, today } from "./entry.js";
import { count, moment, say, t } from "./say.js";
import { may, nameOf, page, state } from "./state.js";

export async function notices() {
  const list = await pages(async (after) => {
    const found = await get(`/v1/areas/${state.area}/notices`, { after, limit: PAGE });
    return { next: found.next ?? "", n: found.notices.length, node: found.notices.length === 0 ? empty(t("noNotices"))
      : el("ul", { class: "queue" }, ...found.notices.map(one)) };
  });
  const own = state.me && may("write");
  return [own ? el("details", { class: "over" }, el("summary", {}, t("issueNotice")), entryForm({
    kind: "notice", names: ["title", "body", "level", "expires_on", "needs_receipt"], fixed: { issued_on: today() }, title: t("issueNotice"), done: t("noticeIssued") })) : null, list].filter(Boolean);
}

function one(n) {
  const urgent = n.level === "urgent";
  return el("li", { class: urgent ? "queued urgent" : "queued" }, el("div", { class: "grow" },
    el("div", {}, el("b", {}, n.title), " ", urgent ? tag(optionWord(n.level, "level", "notice") ?? n.level, true) : null, n.expired ? tag(t("invite.expired")) : null,
      n.needs_receipt && !n.read && !n.expired ? tag(t("toBeRead"), true) : null),
    n.body ? el("div", { class: "wrapped said" }, n.body) : null,
    el("small", {}, [n.area_name, t("issuedOn", { day: n.issued_on }), n.expires_on ? t("expiresOn", { day: n.expires_on }) : ""].filter(Boolean).join(" · ")),
    n.needs_receipt ? el("div", { class: "act" }, n.read || !n.receipt || !state.me || !may("write") ? null : confirming(n), opened(t("receipts"), () => receipts(n))) : null));
}

// confirming says that one has read a notice: a record of one's own, like that of any phone.
const confirming = (n) => deed(t("iHaveRead"), async () => {
  await enter({ record: n.receipt, kind: "notice_read", area: state.area, base: 0, fields: { notice: n.notice, read_at: Date.now() } });
  await page.show();
  say(t("readNoted"));
});

// receipts are who has read a notice and who hasn't, area by area.
async function receipts(n) {
  const holder = el("div");
  const list = await pages(async (after) => {
    const found = await get(`/v1/notices/${n.notice}/receipts`, { area: state.area, after, limit: PAGE });
    if (after === "") {
      holder.replaceChildren(el("p", {}, t("readBy", { n: count(found.have_read), m: count(found.readers) })), found.by_area.length > 1 ? listing(t("byArea"), [t("area"), t("haveRead"), t("readers")],
        found.by_area.map((a) => row(a.name, count(a.have_read), count(a.readers)))) : "");
    }
    return { next: found.next ?? "", n: found.people.length, node: found.people.length === 0 ? null : listing(t("receipts"), [t("who"), t("role"), t("area"), t("readAt")], found.people.map((p) => row(
      p.name, t(`role.${p.role}`), p.areas.map(nameOf).join("、"), p.read_at ? moment(p.read_at) : tag(t("unread"), true)))) };
  });
  return el("div", {}, holder, list);
}
