// The pieces that everything is drawn with. Texts are only ever set as text.

import { flagWord } from "./book.js";
import { count, say, t } from "./say.js";

export const PAGE = 50;
export const $ = (id) => document.getElementById(id);

// el makes an element.
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== false && value !== undefined) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((c) => c !== null && c !== undefined));
  return node;
}

export const tag = (text, alarm = false) => el("span", { class: alarm ? "tag alarm" : "tag" }, text);
export const tags = (flags) => (flags ?? []).map((f) => tag(flagWord(f), true));
export const empty = (text) => el("p", { class: "empty" }, text);

// table is read across; of words it is set to the left. On a narrow screen the rows of a
// listing stand below one another, each cell under its heading.
export function table(caption, head, rows, words = false) {
  return el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    el("table", { class: words ? "words" : false },
      el("caption", {}, caption),
      el("thead", {}, el("tr", {}, ...head.map((h) => el("th", { scope: "col" }, h)))),
      el("tbody", {}, ...rows)));
}

export function listing(caption, head, rows) {
  for (const line of rows) {
    [...line.children].forEach((cell, i) => {
      if (cell.tagName !== "TD" || !head[i] || !cell.hasChildNodes()) return;
      cell.dataset.label = head[i];
      cell.replaceChildren(el("div", {}, ...cell.childNodes));
    });
  }
  const made = table(caption, head, rows, true);
  made.classList.add("listing");
  return made;
}

// row is a line of a table whose first cell names it.
export const row = (first, ...cells) => el("tr", {}, el("th", { scope: "row" }, ...[first].flat().filter(Boolean)),
  ...cells.map((c) => el("td", {}, ...[c].flat().filter((x) => x !== null && x !== undefined && x !== ""))));

// labelled puts a control under its label.
export const labelled = (text, control) => el("label", { class: "labelled" }, el("span", {}, text), control);

// ticked is a box to tick with its words beside it.
export const ticked = (text, box) => el("label", { class: "pick" }, box, text);

// choice is a list to choose one of: [value, words] each.
export const choice = (attributes, options, chosen) => el("select", attributes,
  ...options.map(([value, words]) => el("option", { value, selected: value === chosen }, words)));

// deed is a button that does something once, and says how it went. A deed under way
// can't be begun again.
export function deed(words, work, main = false) {
  const button = el("button", { type: "button", class: main ? "main" : false, onclick: async () => {
    const home = button.closest("[id]")?.id;
    say("");
    button.disabled = true;
    try {
      await work();
    } catch (error) {
      say(t("notDone", { why: error.message }), true);
    } finally {
      button.disabled = false;
      if (document.activeElement === document.body) refocus(button, home);
    }
  } }, words);
  return button;
}

// refocus puts the focus where it was, or near it if everything was drawn anew.
function refocus(button, home) {
  if (button.isConnected) button.focus({ preventScroll: true });
  else ($(home) ?? $("panel")).focus({ preventScroll: true });
}

// sure hides what shouldn't happen by one slip behind a word that opens it.
export const sure = (words, ...inside) => el("details", { class: "sure" }, el("summary", {}, words), el("div", { class: "act" }, ...inside));

// opened is read when it is opened, not before.
export function opened(title, read) {
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

// picker is a row of buttons of which one is pressed: [id, words, pressed, work] each.
export const picker = (label, buttons) => el("div", { class: "picker", role: "group", "aria-label": label },
  ...buttons.map(([id, words, pressed, work]) => el("button", { type: "button", id, "aria-pressed": String(pressed), onclick: work }, ...[words].flat())));

// pages shows one page after the other. read returns {next, n, node} for a place.
export async function pages(read) {
  const holder = el("div");
  const turn = async (after, first) => {
    const { next, n, node } = await read(after);
    const move = (place, line) => async () => {
      try {
        await turn(place, line);
      } catch (error) {
        say(t("failed", { why: error.message }), true);
      }
    };
    if (n === 0 && !next) return holder.replaceChildren(node ?? empty(t("noRows")));
    holder.replaceChildren(node, el("div", { class: "pager" },
      el("button", { type: "button", disabled: first === 1, onclick: move("", 1) }, t("previous")),
      n > 0 ? el("span", { role: "status" }, t("rows", { from: count(first), to: count(first + n - 1) })) : "",
      el("button", { type: "button", disabled: !next, onclick: move(next, first + n) }, t("next"))));
  };
  await turn("", 1);
  return holder;
}
