// Forms through their life: those in force, drafts, reading one from a workbook, publishing.

import { get, post, remove, upload } from "./api.js";
import { kindWord, learn } from "./book.js";
import { deed, el, empty, labelled, listing, opened, row, sure, tag, ticked } from "./draw.js";
import { both, count, moment, say, t } from "./say.js";
import { go, href, may, page, state } from "./state.js";

export async function forms() {
  if (state.item) return one(state.item);
  const [{ definitions }, { definitions: templates }] = await Promise.all([get("/v1/forms"), get("/v1/templates")]);
  return [
    configurable() ? importing() : null,
    listing(t("setup.forms"), [t("form"), t("version"), t("made"), t("draft")], definitions.map((d) => row(
      el("a", { href: href({ item: d.kind || d.name }) }, both(d.label) || d.name), d.version ? count(d.version) : "—",
      d.built_in ? t("builtIn") : d.at ? `${d.by_name ?? ""} ${moment(d.at)}` : "—", d.draft_at ? tag(moment(d.draft_at)) : ""))),
    el("h2", {}, t("templates")), templates.length === 0 ? empty(t("noRows")) : listing(t("templates"), [t("template"), t("form"), t("version"), t("made")], templates.map((d) => row(
      both(d.label) || d.name, kindWord(d.kind), d.version ? count(d.version) : "—", d.built_in ? t("builtIn") : `${d.by_name ?? ""}`))),
  ].filter(Boolean);
}

// configurable says whether forms may be changed: they hold for the whole installation.
const configurable = () => Boolean(state.me) && state.areas.some((a) => !a.parent && may("configure", a.id));

function importing() {
  const file = el("input", { id: "form-file", type: "file", accept: ".xlsx" });
  const kind = el("input", { id: "form-kind", pattern: "[A-Za-z0-9._\\-]{1,32}", maxlength: "32", autocomplete: "off" });
  const extend = el("input", { id: "form-extend", type: "checkbox" });
  const out = el("div", { id: "form-read", tabindex: "-1" });
  return el("div", {}, el("form", { class: "sheet grid", onsubmit: (event) => event.preventDefault() }, el("h2", {}, t("readXLSForm")),
    labelled(t("workbook"), file), labelled(t("kindOrFormID"), kind), ticked(t("extendKind"), extend),
    deed(t("readIt"), async () => {
      if (!file.files[0]) return say(t("needFile"), true);
      const read = await upload("/v1/forms/import", file.files[0], { kind: kind.value.trim(), extend: extend.checked || "" });
      out.replaceChildren(...readResult(read));
      out.focus();
      say(read.draft ? t("draftKept") : t("draftNotKept"), !read.draft);
    }, true), el("small", {}, t("xlsformNote"))), out);
}

function readResult(read) {
  const notes = (caption, list) => (list.length === 0 ? null : listing(caption, [t("cell"), t("what")], list.map((n) =>
    row(el("span", { class: "mono" }, [n.sheet, n.cell].filter(Boolean).join("!") || "—"), el("div", { class: "wrapped" }, both(n.text))))));
  return [
    read.error ? el("p", { class: "note", role: "alert" }, both(read.error.message ?? { zh: read.error.code, en: read.error.code }), read.error.field ? ` · ${read.error.field}` : "") : null,
    read.draft ? el("p", {}, el("a", { href: href({ item: read.draft.name }) }, t("seeDraft", { what: read.draft.name }))) : null,
    el("h3", {}, t("readProblems", { n: read.problems.length })), notes(t("readProblems", { n: read.problems.length }), read.problems) ?? empty(t("readNoProblems")),
    read.remarks.length > 0 ? el("details", { class: "over" }, el("summary", {}, t("readRemarks", { n: read.remarks.length })), notes(t("readRemarks", { n: read.remarks.length }), read.remarks)) : null,
  ].filter(Boolean);
}

// one is a form: its draft if somebody works on it, and what is in force.
async function one(kind) {
  const { definitions } = await get("/v1/forms");
  const about = definitions.find((d) => (d.kind || d.name) === kind);
  const [now, draft] = await Promise.all([about?.version ? get(`/v1/forms/${kind}`) : null, about?.draft_at && configurable() ? get(`/v1/forms/${kind}/draft`) : null]);
  return [
    el("p", {}, el("a", { href: href({}) }, `‹ ${t("back")}`)),
    ...(draft ? [el("h2", {}, t("draftOf", { what: both(draft.definition.label), n: draft.definition.version })), preview(draft.definition), publishing(kind, draft)] : []),
    ...(now ? [el("h2", {}, t("formInForce", { what: both(now.label), n: now.version })), preview(now.definition)] : []),
    draft || now ? null : empty(t("noRows")),
  ].filter(Boolean);
}

function publishing(kind, draft) {
  return el("div", { class: "act", id: "publishing" }, sure(t("publish"), el("small", {}, t("publishNote")), deed(t("publishNow", { n: draft.definition.version }), async () => {
    await post(`/v1/forms/${kind}/publish`, {});
    await learn();
    await page.show();
    say(t("published", { what: both(draft.definition.label), n: draft.definition.version }));
  }, true)), sure(t("dropDraft"), deed(t("dropNow"), async () => {
    await remove(`/v1/forms/${kind}/draft`);
    go({});
    say(t("draftDropped"));
  })));
}

// preview is a form as a table: what is asked, how, and under which condition.
function preview(f) {
  const details = (d) => [
    d.required ? tag(t("required")) : null, d.class ? tag(t(`class.${d.class}`)) : null, d.retired ? tag(t("retired"), true) : null,
    d.hint ? el("div", { class: "w" }, both(d.hint)) : null,
    d.choices ? el("div", { class: "w" }, d.choices.map((o) => both(o.label)).join("、")) : null,
    ...["relevant", "constraint", "calculate"].filter((name) => d[name]).map((name) => el("div", { class: "w" }, `${t(`rule.${name}`)} `, el("code", {}, d[name]))),
  ];
  return el("div", {}, listing(both(f.label), [t("question"), t("type"), t("merging"), t("more")], f.fields.map((d) => row(
    [both(d.label), el("small", { class: "w" }, ` ${d.name}`)], t(`type.${d.type}`) + (d.unit ? `（${d.unit}）` : ""), t(`rule.${d.rule}`), el("div", { class: "wrapped" }, ...details(d).filter(Boolean))))),
  f.measures?.length > 0 ? el("p", { class: "w" }, t("formCounts", { what: f.measures.map((m) => both(m.label)).join("、") })) : null,
  opened(t("asJSON"), async () => el("pre", { class: "sheet mono", tabindex: "0" }, JSON.stringify(f, null, 1))));
}
