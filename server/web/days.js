// How an area stands with a day: its figures, who signed them, what has moved since, who
// below has not signed. Nothing is signed but what was shown.

import { get, post } from "./api.js";
import { kindWord, measureWord } from "./book.js";
import { deed, el, empty, labelled, listing, row, sure, table, tag, ticked } from "./draw.js";
import { both, count, moment, say, t } from "./say.js";
import { href, may, nameOf, page, state } from "./state.js";
import { short } from "./values.js";

export async function days() {
  const day = await get(`/v1/areas/${state.area}/days/${state.day}`);
  return [standing(day), ...signing(day), ...moved(day), ...below(day), ...history(day), figures(day)].filter(Boolean);
}

const stateTag = (s, late) => [tag(t(`day.${s}`), s === "restated" || s === "returned" || (late && s === "open")), late ? tag(t("dayLate"), true) : null];

function standing(day) {
  const line = (label, ...words) => [el("dt", {}, label), el("dd", {}, ...words)];
  const { signed, returned } = day;
  return el("dl", { class: "sheet" },
    ...line(t("dayState"), ...stateTag(day.state, day.late).filter(Boolean), el("small", {}, t("closingAt", { at: day.closing_hour }))),
    ...(returned && day.state === "returned" ? line(t("returnedBy"), `${returned.by_name ?? ""} ${moment(returned.at)} · ${returned.reason}`) : []),
    ...(signed ? line(t("signedBy"), `${signed.by_name || short(signed.by)} ${moment(signed.at)}${signed.note ? ` · ${signed.note}` : ""}`) : []),
    ...(signed?.hash ? line(t("seal"), el("span", { class: "mono" }, `${signed.hash.slice(0, 16)}… `), signed.holds ? tag(t("sealHolds")) : tag(t("sealBroken"), true)) : []),
    ...(signed?.zero ? line(t("zeroSaid"), t("v.true")) : []),
    ...(day.below?.length > 0 ? line(t("unsigned"), el("b", {}, count(day.unsigned)), ` / ${count(day.below.length)}`) : []));
}

// signing offers to sign what is shown. That nothing happened must be said.
function signing(day) {
  if (!may("decide") || day.state === "signed") return [];
  const note = el("input", { id: "sign-note", maxlength: "500" });
  const zero = el("input", { id: "sign-zero", type: "checkbox" });
  return [el("form", { class: "sheet act", id: "sign", onsubmit: (event) => event.preventDefault() },
    labelled(t("noteOrNothing"), note), day.nothing ? ticked(t("sayZero"), zero) : null,
    deed(t(day.state === "restated" ? "signAgain" : "signDay"), async () => {
      if (day.nothing && !zero.checked) return say(t("needZero"), true);
      await send(`/v1/areas/${day.area}/days/${day.day}/sign`, { seen: day.seen, note: note.value.trim(), ...(day.nothing ? { zero: true } : {}) }, t("daySigned"));
    }, true), el("small", {}, t("signNote")))];
}

// send does something about a day; where it has moved on, how it stands now is shown.
async function send(path, body, done) {
  try {
    await post(path, { ...body, ...(state.me ? { author: state.me.author } : {}) });
    await page.show();
    say(done);
  } catch (error) {
    if (error.code !== "moved_on") throw error;
    await page.show();
    say(t("movedOn"), true);
  }
}

// moved lists what differs from what was signed, and the records that made it differ.
function moved(day) {
  if (!day.delta?.length) return [];
  const signed = (n) => (n > 0 ? `+${count(n)}` : count(n));
  const out = [el("h2", {}, t("restatedBy")), table(t("drift"), [t("measure"), t("signed"), t("now"), t("difference")], day.delta.map((m) =>
    row(both(m.label), count(m.signed), count(m.now), signed(m.now - m.signed))))];
  if (day.changes?.length > 0) {
    out.push(el("h3", {}, t("restatingRecords")), listing(t("restatingRecords"), [t("record"), t("kindOf"), t("area"), t("whatMoved")], day.changes.map((c) => row(
      el("a", { href: href({ tab: "Roster", kind: c.kind ?? "person", item: c.record }) }, short(c.record)), c.kind ? kindWord(c.kind) : "—", nameOf(c.area ?? ""),
      c.moves.map((m) => `${measureWord(m.name)} ${signed(m.n)}`).join("、")))));
  }
  if (day.more_changes) out.push(el("p", { class: "w" }, t("moreRecords")));
  if (day.otherwise?.length > 0) out.push(el("p", { class: "note" }, t("movedOtherwise", { what: day.otherwise.map((m) => `${measureWord(m.name)} ${signed(m.n)}`).join("、") })));
  return out;
}

// below is the board of those who sign below, those first who have not.
function below(day) {
  if (!day.below?.length) return [];
  const order = ["open", "returned", "restated", "signed"];
  const all = [...day.below].sort((a, b) => order.indexOf(a.state) - order.indexOf(b.state) || Number(b.late ?? false) - Number(a.late ?? false));
  return [el("h2", {}, t("whoSigned")), listing(t("whoSigned"), [t("area"), t("dayState"), t("signedBy"), t("seal"), t("doing")], all.map((c) => row(
    el("a", { href: href({ area: c.area }) }, c.name), [...stateTag(c.state, c.late), c.reason ? ` ${c.reason}` : ""],
    c.at ? `${c.by_name || short(c.by)} ${moment(c.at)}` : "", c.hash ? el("span", { class: "mono" }, c.hash.slice(0, 12)) : "",
    may("decide") && (c.state === "signed" || c.state === "restated") ? returning(day, c) : "")))];
}

// returning sends a day back, as it was shown: if it has been signed anew since, that is
// shown instead.
function returning(day, child) {
  const reason = el("input", { maxlength: "500", "aria-label": t("reason") });
  return sure(t("returnDay"), labelled(t("reason"), reason), deed(t("returnNow"), async () => {
    if (!reason.value.trim()) return say(t("needReason"), true);
    const path = `/v1/areas/${child.area}/days/${day.day}`;
    const one = await get(path);
    if (one.signed?.at !== child.at) {
      await page.show();
      return say(t("movedOn"), true);
    }
    await send(`${path}/return`, { record: one.seen.record, reason: reason.value.trim() }, t("dayReturned", { where: child.name }));
  }));
}

function history(day) {
  const out = [];
  if (day.history?.length > 0) {
    out.push(el("h2", {}, t("history")), listing(t("history"), [t("when"), t("who"), t("outcome"), t("reason"), t("seal")], day.history.map((h) => row(
      moment(h.at), h.by_name || short(h.by), tag(t(`day.${h.what}`), h.what === "returned"), h.reason ?? h.note ?? "", h.hash ? el("span", { class: "mono" }, h.hash.slice(0, 12)) : ""))));
  }
  if (day.signed?.text) out.push(el("details", { class: "over" }, el("summary", {}, t("signedText")), el("pre", { class: "sheet mono", tabindex: "0" }, day.signed.text)));
  return out;
}

// figures are what is signed, 0 included.
function figures(day) {
  if (day.figures.length === 0) return empty(t("noRows"));
  const was = day.signed?.figures;
  return el("div", { id: "figures" }, el("h2", {}, t("dayFigures")), table(`${day.name} · ${day.day}`, [t("measure"), t("now"), ...(was ? [t("signed")] : [])],
    day.figures.map((f) => row(`${both(f.label)}（${t(`unit.${f.unit}`)}）`, count(f.value), ...(was ? [was[f.name] === undefined ? "—" : count(was[f.name])] : [])))));
}
