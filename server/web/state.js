// Where one is and who one is. The place stands after the # of the address, so that
// back, forward and bookmarks work; nothing secret stays there.

export const TABS = ["Totals", "Day", "Field", "Review", "Roster", "Lists", "People", "Phones", "Setup", "Audit", "Account"];
export const KINDS = ["conflict", "duplicate", "double_visit", "parked", "implausible", "exit", "restated"];

// The columns of each kind's roster.
export const COLUMNS = {
  person: ["name", "sex", "birth", "residence", "came_from", "classes", "mobile", "id_number"],
  household: ["address", "tenure", "head", "headcount", "found_on"],
  visit: ["outcome", "found", "visited_at"],
  temperature: ["value", "slot", "taken_at"],
  passage: ["name", "plate", "temperature", "measure", "passed_at"],
  observation: ["start", "planned_end", "place"],
  round: ["name", "number", "starts"],
};

export const state = {
  // Either a phone's token, kept in this tab alone, or me: whoever's cookie the browser has.
  token: "", me: null, english: false,
  areas: [], byId: new Map(), forms: new Map(), now: Date.now(),
  area: "", day: "", from: "", tab: "Totals", view: "", kind: "person", about: "", item: "",
};

// page is what draws the place where one is, and what asks somebody in again who is signed
// in no longer; app.js says how.
export const page = { show: async () => {}, askIn: () => {} };

// readPlace takes the place out of the address, and returns what came with it. A token or a
// link to set a password leaves the address at once; an invitation stays, as it may have to
// be opened in another browser.
export function readPlace() {
  const place = new URLSearchParams(location.hash.slice(1));
  const came = Object.fromEntries(["token", "welcome", "enrol"].filter((name) => place.has(name)).map((name) => [name, place.get(name)]));
  if (came.token || came.welcome) {
    place.delete("token");
    place.delete("welcome");
    history.replaceState(null, "", `#${place}`);
  }
  if (came.token) sessionStorage.setItem("token", came.token);
  if (place.has("lang")) localStorage.setItem("language", place.get("lang"));
  state.token = sessionStorage.getItem("token") ?? "";
  state.english = localStorage.getItem("language") === "en";
  state.area = place.get("area") ?? "";
  state.day = place.get("day") ?? "";
  state.from = place.get("from") ?? "";
  state.tab = TABS.includes(place.get("tab")) ? place.get("tab") : "Totals";
  state.view = place.get("view") ?? "";
  state.kind = /^[\w.-]{1,32}$/.test(place.get("kind") ?? "") ? place.get("kind") : "person";
  state.about = KINDS.includes(place.get("about")) ? place.get("about") : "";
  state.item = place.get("item") ?? "";
  return came;
}

export function href(change) {
  const { area, day, from, tab, view, kind, about, item } = { ...state, item: "", ...(change.tab ? { view: "" } : {}), ...change };
  const place = { area, day, from, tab, view, kind, about, item };
  return `#${new URLSearchParams(Object.entries(place).filter(([, v]) => v))}`;
}

// go changes the place; where it is the same already, what is there is read anew.
export function go(change) {
  const place = href(change);
  if (place === location.hash) return page.show();
  location.hash = place;
}

export const nameOf = (id) => state.byId.get(id)?.name ?? id;

// within says whether an area is another one or lies below it.
export function within(id, root) {
  for (let a = id; a; a = state.byId.get(a)?.parent) if (a === root) return true;
  return false;
}

// may says whether the reader has a right in an area. It only decides what is offered: the
// server decides what is done. A phone's token is offered what phones do.
export function may(right, area = state.area) {
  if (!state.me) return ["read", "decide", "totals"].includes(right);
  return (state.me.reach[right] ?? []).some((top) => within(area, top));
}
