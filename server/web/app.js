// The page: totals, rounds, open questions and rosters of the areas that a token's
// owner may see. It asks the server's API and keeps nothing but the token, in this
// tab alone. What people typed is only ever set as text.

// Every text that is read or heard, Chinese first. {n} and the like are filled in.
const TEXTS = {
  skip: ["跳到正文", "Skip to the content"],
  otherLanguage: ["English", "中文"],
  day: ["日期", "Day"],
  areas: ["区域", "Areas"],
  views: ["查看", "Views"],
  loading: ["正在读取……", "Loading…"],
  loaded: ["已更新", "Up to date"],
  failed: ["读取失败：{why}", "Could not be read: {why}"],
  offline: ["连不上服务器，请稍后再试", "The server does not answer. Please try again later"],
  needToken: ["请输入凭证", "A token is needed"],
  tokenHelp: ["打开启动时打印的完整网址，或在此粘贴凭证。凭证只留在本标签页。", "Open the whole address that was printed, or paste the token here. It stays in this tab."],
  token: ["凭证", "Token"],
  open: ["打开", "Open"],
  tabTotals: ["数字", "Totals"],
  tabRounds: ["两轮比较", "Rounds"],
  tabReview: ["待裁定", "Disputes"],
  tabRoster: ["名册", "Roster"],
  asOf: ["截至", "As of"],
  version: ["版本", "Version"],
  devices: ["设备（已联系/应有）", "Devices (heard/expected)"],
  unsent: ["手机未上传", "Unsent on phones"],
  disputes: ["待裁定", "Disputed"],
  parked: ["待处理", "Parked"],
  missing: ["{n} 台设备当天没有联系", "{n} devices were not heard of that day"],
  byArea: ["下级区域", "By area below"],
  area: ["区域", "Area"],
  direct: ["直属", "direct"],
  total: ["合计", "Total"],
  household: ["户", "households"], person: ["人", "people"], time: ["人次", "times"],
  household_time: ["户次", "visits"], vehicle: ["辆次", "vehicles"],
  onDay: ["当日发生", "On this day"],
  standingNote: ["户数、人数为当日结束时在册数；次数为当日发生数。", "Households and people are those there when the day ends; the others happened on the day."],
  noRounds: ["还没有两轮排查可比", "There are no two rounds to compare yet"],
  met: ["见到的人", "People met"],
  onlySecond: ["仅在第二轮发现", "Met only in the second"],
  ofSecond: ["占第二轮的 {share}", "{share} of the second"],
  lateFinds: ["晚发现人员", "Late finds"],
  name: ["姓名", "Name"],
  finder: ["发现人", "Finder"],
  when: ["时间", "When"],
  flags: ["标记", "Flags"],
  returnee: ["武汉返回", "Returned from Wuhan"],
  fever: ["发热", "Fever"],
  red_code: ["红码", "Red code"],
  noDisputes: ["没有待裁定的问题", "There is nothing to decide"],
  openedAt: ["提出于 {at}", "Raised {at}"],
  shown: ["现显示", "Shown now"],
  there: ["在册（有人同时修改了档案）", "Still here (edited at the same time)"],
  kindConflict: ["填写不一致", "Differing entries"],
  kindExit: ["离开与修改冲突", "Left, and edited"],
  previous: ["回到开头", "Back to the start"],
  next: ["下一页", "Next page"],
  rows: ["第 {from}–{to} 条", "Rows {from}–{to}"],
  noRows: ["没有记录", "No records"],
  left: ["已离开", "Left"],
  disputed: ["有争议", "disputed"],
  footer: ["演示数据全部为虚构：身份证号以 999 开头，手机号以 100 开头。名册中的号码已遮盖。", "All demo data is invented: ID numbers start with 999, mobiles with 100. Numbers in rosters are masked."],
  "kind.household": ["户", "Households"], "kind.person": ["人员", "People"], "kind.visit": ["入户排查", "Visits"],
  "kind.temperature": ["体温", "Temperatures"], "kind.passage": ["卡点登记", "Passages"],
  "kind.observation": ["居家隔离", "Observations"], "kind.round": ["轮次", "Rounds"],
  "f.name": ["姓名", "Name"], "f.sex": ["性别", "Sex"], "f.birth": ["出生日期", "Born"], "f.id_number": ["身份证号", "ID number"],
  "f.mobile": ["手机号", "Mobile"], "f.residence": ["户籍性质", "Residence"], "f.came_from": ["来自", "Came from"],
  "f.classes": ["人员分类", "Classes"], "f.address": ["住址", "Address"], "f.tenure": ["居住性质", "Tenure"], "f.head": ["户主", "Head"],
  "f.headcount": ["人数", "People"], "f.outcome": ["结果", "Outcome"], "f.found": ["见到人数", "Met"], "f.visited_at": ["入户时间", "Visited"],
  "f.value": ["体温", "Temperature"], "f.slot": ["时段", "Slot"], "f.taken_at": ["测量时间", "Taken"], "f.plate": ["车牌", "Plate"],
  "f.temperature": ["体温", "Temperature"], "f.measure": ["处置", "Measure"], "f.passed_at": ["通过时间", "Passed"],
  "f.start": ["开始日期", "Start"], "f.planned_end": ["计划结束", "Planned end"], "f.place": ["地点", "Place"],
  "f.exit": ["离开登记", "Exit"], "f.area": ["所属区域", "Area"], "f.employer": ["工作单位", "Employer"],
  "f.number": ["轮次", "Number"], "f.starts": ["开始", "Starts"], "f.found_on": ["首次登记", "First registered"],
  "v.met": ["见到", "met"], "v.not_home": ["家中无人", "not home"], "v.refused": ["拒绝", "refused"],
  "v.registered": ["户籍", "registered"], "v.migrant": ["流动", "migrant"], "v.rented": ["租住", "rented"],
  "v.dormitory": ["集体宿舍", "dormitory"], "v.firm": ["企业", "firm"], "v.male": ["男", "male"], "v.female": ["女", "female"],
  "v.am": ["上午", "morning"], "v.pm": ["下午", "afternoon"], "v.pass": ["放行", "let through"], "v.turned_back": ["劝返", "turned back"],
  "v.home": ["居家", "home"], "v.wuhan_return": ["武汉返回", "from Wuhan"], "v.contact": ["一般接触", "contact"],
  "v.key_region": ["重点地区", "key region"], "v.moved": ["搬走", "moved"], "v.left": ["离开", "left"],
};

// The columns of each kind's roster.
const COLUMNS = {
  person: ["name", "sex", "birth", "residence", "came_from", "classes", "mobile", "id_number"],
  household: ["address", "tenure", "head", "headcount", "found_on"],
  visit: ["outcome", "found", "visited_at"],
  temperature: ["value", "slot", "taken_at"],
  passage: ["name", "plate", "temperature", "measure", "passed_at"],
  observation: ["start", "planned_end", "place"],
  round: ["name", "number", "starts"],
};
const TIMES = new Set(["visited_at", "taken_at", "passed_at"]);
const SECRET = new Set(["mobile", "id_number"]);
const ALARMS = new Set(["fevers", "passage_fevers", "returnees"]);
const PAGE = 50;

const state = { token: "", english: false, areas: [], byId: new Map(), area: "", day: "", tab: "Totals", kind: "person", turn: 0 };
const $ = (id) => document.getElementById(id);

// t returns a text of the catalogue in the language chosen.
function t(key, values = {}) {
  const pair = TEXTS[key];
  if (!pair) return key;
  return pair[state.english ? 1 : 0].replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}
const both = (text) => (state.english ? text.en : text.zh);
const count = (n) => n.toLocaleString("en-US");

// el makes an element. Texts are only ever set as text.
function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== false && value !== undefined) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((c) => c !== null && c !== undefined));
  return node;
}

const clock = new Intl.DateTimeFormat("sv-SE", { timeZone: "Asia/Shanghai", dateStyle: "short", timeStyle: "short" });
const moment = (ms) => clock.format(new Date(ms));

// get asks the API. It throws an Error whose message a person can read.
async function get(path, query = {}) {
  const search = new URLSearchParams(Object.entries(query).filter(([, v]) => v !== ""));
  let response;
  try {
    response = await fetch(`${path}?${search}`, { headers: { Authorization: `Bearer ${state.token}` } });
  } catch {
    throw new Error(t("offline"));
  }
  const body = await response.json().catch(() => null);
  if (response.ok && body) return body;
  const error = body?.error ?? body;
  throw Object.assign(new Error(error?.message ? both(error.message) : String(response.status)), { status: response.status });
}

function say(text, alarm = false) {
  $("status").textContent = text;
  $("status").className = alarm ? "alarm" : "";
}

// Where one is stands after the #, so that back, forward and bookmarks work; the
// token is taken out of it at once.
function readPlace() {
  const place = new URLSearchParams(location.hash.slice(1));
  if (place.has("token")) {
    state.token = place.get("token");
    sessionStorage.setItem("token", state.token);
    place.delete("token");
    history.replaceState(null, "", `#${place}`);
  }
  if (place.has("lang")) localStorage.setItem("language", place.get("lang"));
  state.token ||= sessionStorage.getItem("token") ?? "";
  state.english = localStorage.getItem("language") === "en";
  state.area = place.get("area") ?? "";
  state.day = place.get("day") ?? "";
  state.tab = ["Totals", "Rounds", "Review", "Roster"].includes(place.get("tab")) ? place.get("tab") : "Totals";
  state.kind = place.get("kind") in COLUMNS ? place.get("kind") : "person";
}

function href(change) {
  const { area, day, tab, kind } = { ...state, ...change };
  return `#${new URLSearchParams({ area, day, tab, kind })}`;
}

const go = (change) => { location.hash = href(change); };

const nameOf = (id) => state.byId.get(id)?.name ?? id;

async function start() {
  readPlace();
  frame();
  if (!state.token) return askToken();
  say(t("loading"));
  try {
    state.areas = (await get("/v1/areas")).areas;
    state.byId = new Map(state.areas.map((a) => [a.id, a]));
    await show();
  } catch (error) {
    if (error.status === 401 || error.status === 403) return askToken(error.message);
    say(t("failed", { why: error.message }), true);
  }
}

// frame fills in what stands around the content.
function frame() {
  document.documentElement.lang = state.english ? "en" : "zh-CN";
  $("skip").textContent = t("skip");
  $("day-label").textContent = t("day");
  $("language").textContent = t("otherLanguage");
  $("crumbs").setAttribute("aria-label", t("areas"));
  $("tabs").setAttribute("aria-label", t("views"));
  $("footer").textContent = t("footer");
}

function askToken(why = "") {
  say(why, why !== "");
  $("title").textContent = t("needToken");
  $("watermark").replaceChildren();
  $("tabs").replaceChildren();
  const input = el("input", { id: "token", type: "password", autocomplete: "off", required: true });
  const form = el("form", { class: "token", onsubmit: (event) => {
    event.preventDefault();
    state.token = input.value.trim();
    sessionStorage.setItem("token", state.token);
    start();
  } }, el("p", {}, t("tokenHelp")), el("label", { for: "token" }, t("token")), input, el("button", { type: "submit" }, t("open")));
  $("panel").replaceChildren(form);
}

// show reads and draws the place where one is. An older answer that comes after a
// newer question is dropped.
async function show() {
  const turn = ++state.turn;
  if (!state.byId.has(state.area)) state.area = state.areas[0]?.id ?? "";
  if (!state.area) return say(t("noRows"));
  say(t("loading"));
  try {
    const summary = await get(`/v1/areas/${state.area}/summary`, { day: state.day });
    const content = await { Totals: totals, Rounds: rounds, Review: review, Roster: roster }[state.tab](summary);
    if (turn !== state.turn) return;
    const focused = document.activeElement?.id;
    const moved = state.drawn !== undefined && state.drawn !== state.area;
    state.drawn = state.area;
    state.day ||= summary.day;
    $("day").value = summary.day;
    $("title").textContent = summary.name;
    document.title = `${summary.name} · 网格通 gridsync`;
    crumbs();
    tabs(summary);
    watermark(summary.watermark);
    $("panel").replaceChildren(...content);
    say(t("loaded"));
    keepFocus(focused, moved);
  } catch (error) {
    if (turn !== state.turn) return;
    if (error.status === 401) return askToken(error.message);
    say(t("failed", { why: error.message }), true);
  }
}

// keepFocus puts the focus back where it was before everything was drawn anew: on
// the selected tab if it was on a tab, and at the top of a new area.
function keepFocus(id, moved) {
  if (moved) $("main").focus();
  else if (id?.startsWith("tab-")) $(`tab-${state.tab}`)?.focus();
  else if (id) $(id)?.focus();
}

function crumbs() {
  const path = [];
  for (let a = state.byId.get(state.area); a; a = state.byId.get(a.parent)) path.unshift(a);
  $("crumbs").replaceChildren(el("ol", {}, ...path.map((a) => el("li", {},
    a.id === state.area ? el("span", { "aria-current": "page" }, a.name) : el("a", { href: href({ area: a.id }) }, a.name)))));
}

function tabs(summary) {
  const names = ["Totals", "Rounds", "Review", "Roster"];
  $("tabs").replaceChildren(...names.map((name) => el("button", {
    type: "button", role: "tab", id: `tab-${name}`, "aria-controls": "panel", "aria-selected": String(name === state.tab),
    tabindex: name === state.tab ? "0" : "-1",
    onclick: () => go({ tab: name }),
    onkeydown: (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      go({ tab: names[(names.indexOf(name) + step + names.length) % names.length] });
    },
  }, t(`tab${name}`) + (name === "Review" ? ` ${summary.watermark.disputes}` : ""))));
  $("panel").setAttribute("aria-labelledby", `tab-${state.tab}`);
}

function watermark(w) {
  const chip = (label, value, warn) => el("span", { class: warn ? "chip warn" : "chip" }, `${label} `, el("b", {}, value));
  const chips = [
    chip(t("asOf"), moment(w.at)), chip(t("version"), count(w.version)),
    chip(t("devices"), `${w.devices_heard}/${w.devices_expected}`, w.devices_heard < w.devices_expected),
    chip(t("unsent"), count(w.unsent), w.unsent > 0), chip(t("disputes"), count(w.disputes), w.disputes > 0),
    chip(t("parked"), count(w.parked), w.parked > 0),
  ];
  const missing = w.devices_missing ?? [];
  if (missing.length > 0) {
    const n = count(w.devices_expected - w.devices_heard);
    chips.push(el("details", { class: "missing" }, el("summary", {}, t("missing", { n })), missing.join("、")));
  }
  $("watermark").replaceChildren(...chips);
}

const numberCell = (n, measure) => el("td", { class: n === 0 ? "zero" : ALARMS.has(measure.name) ? "alarm" : false }, count(n));

function table(caption, head, rows, words = false) {
  return el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    el("table", { class: words ? "words" : false },
      el("caption", {}, caption),
      el("thead", {}, el("tr", {}, ...head.map((h) => el("th", { scope: "col" }, h)))),
      el("tbody", {}, ...rows)));
}

// sections are the measures of one kind of record after the other, in the order in
// which people ask for them.
function sections(measures) {
  const order = Object.keys(COLUMNS);
  const indexes = measures.map((_, i) => i);
  indexes.sort((a, b) => order.indexOf(measures[a].kind) - order.indexOf(measures[b].kind) || a - b);
  return indexes;
}

async function totals(summary) {
  const order = sections(summary.measures);
  const measures = order.map((i) => summary.measures[i]);
  const out = [];
  for (const kind of new Set(measures.map((m) => m.kind))) {
    const cards = measures.filter((m) => m.kind === kind).map((m) => el("div", { class: ALARMS.has(m.name) && m.value > 0 ? "card alarm" : "card" },
      el("span", { class: "n" }, count(m.value), el("small", {}, t(m.unit))), el("span", { class: "l" }, both(m.label))));
    out.push(el("h2", {}, t(`kind.${kind}`)), el("div", { class: "cards" }, ...cards));
  }
  out.push(el("p", { class: "empty" }, t("standingNote")));
  const lines = (summary.children ?? []).map((child) => ({ ...child, values: order.map((i) => child.values[i]) }));
  if (lines.length > 0) out.push(el("h2", {}, t("byArea")), byArea(summary, measures, lines));
  return out;
}

// byArea puts across whichever is fewer: areas or measures.
function byArea(summary, measures, lines) {
  const caption = `${summary.name} · ${summary.day}`;
  const label = (m) => `${both(m.label)}（${t(m.unit)}）`;
  const link = (line) => (line.direct ? `${line.name}（${t("direct")}）` : el("a", { href: href({ area: line.area }) }, line.name));
  if (lines.length < measures.length) {
    return table(caption, ["", t("total"), ...lines.map(link)], measures.map((m, i) => el("tr", {},
      el("th", { scope: "row" }, label(m)), numberCell(m.value, m), ...lines.map((line) => numberCell(line.values[i], m)))));
  }
  const rows = lines.map((line) => el("tr", { class: line.direct ? "direct" : false },
    el("th", { scope: "row" }, link(line)), ...line.values.map((n, i) => numberCell(n, measures[i]))));
  rows.push(el("tr", { class: "total" }, el("th", { scope: "row" }, t("total")), ...measures.map((m) => numberCell(m.value, m))));
  return table(caption, [t("area"), ...measures.map(label)], rows);
}

// allRounds lists the rounds that the reader may see, by number.
async function allRounds() {
  const tops = state.areas.filter((a) => !state.byId.has(a.parent));
  const pages = await Promise.all(tops.map((a) => get(`/v1/areas/${a.id}/roster`, { kind: "round" })));
  return pages.flatMap((p) => p.rows).sort((a, b) => (a.fields.number ?? 0) - (b.fields.number ?? 0));
}

async function rounds() {
  const all = await allRounds();
  if (all.length < 2) return [el("p", { class: "empty" }, t("noRounds"))];
  const [a, b] = all.slice(-2);
  const ask = (after) => get(`/v1/rounds/${a.id}/diff/${b.id}`, { area: state.area, limit: PAGE, after });
  const diff = await ask("");
  const { only, returnees } = await lateCounts(a.id, b.id);
  const card = (label, n, note) => el("div", { class: "card" },
    el("span", { class: "n" }, count(n), el("small", {}, t("person"))), el("span", { class: "l" }, label),
    note ? el("span", { class: "l" }, ` · ${note}`) : null);
  const share = diff.b.met === 0 ? "—" : `${((100 * only) / diff.b.met).toFixed(1)} %`;
  return [
    el("div", { class: "rounds" }, card(`${diff.a.name} · ${t("met")}`, diff.a.met), card(`${diff.b.name} · ${t("met")}`, diff.b.met),
      card(t("onlySecond"), only, t("ofSecond", { share })), card(`${t("onlySecond")} · ${t("returnee")}`, returnees)),
    el("h2", {}, t("lateFinds")),
    await pages(async (after) => {
      const page = after === "" ? diff : await ask(after);
      return { next: page.next ?? "", n: page.only_b.length, node: lateTable(page.only_b) };
    }),
  ];
}

// lateCounts counts the late finds, and the returnees among them, by reading all
// of them.
async function lateCounts(a, b) {
  const sum = { only: 0, returnees: 0 };
  for (let after = ""; ;) {
    const page = await get(`/v1/rounds/${a}/diff/${b}`, { area: state.area, limit: 500, after });
    sum.only += page.only_b.length;
    sum.returnees += page.only_b.filter((f) => f.flags?.includes("returnee")).length;
    if (!page.next) return sum;
    after = page.next;
  }
}

const tags = (flags) => (flags ?? []).map((f) => el("span", { class: "tag alarm" }, t(f)));

function lateTable(found) {
  return table(t("lateFinds"), [t("name"), t("area"), t("finder"), t("when"), t("flags")], found.map((f) => el("tr", {},
    el("th", { scope: "row" }, f.name), el("td", {}, nameOf(f.area)), el("td", {}, f.finder_name ?? ""),
    el("td", {}, moment(f.at)), el("td", {}, ...tags(f.flags)))), true);
}

// pages shows one page after the other. read returns {next, n, node} for a place.
async function pages(read) {
  const holder = el("div");
  let from = 1;
  const turn = async (after, first) => {
    const { next, n, node } = await read(after);
    const move = (place, row) => async () => {
      try {
        await turn(place, row);
      } catch (error) {
        say(t("failed", { why: error.message }), true);
      }
    };
    from = first;
    if (n === 0) return holder.replaceChildren(el("p", { class: "empty" }, t("noRows")));
    holder.replaceChildren(node, el("div", { class: "pager" },
      el("button", { type: "button", disabled: from === 1, onclick: move("", 1) }, t("previous")),
      el("span", { role: "status" }, t("rows", { from: count(from), to: count(from + n - 1) })),
      el("button", { type: "button", disabled: next === "", onclick: move(next, from + n) }, t("next"))));
  };
  await turn("", 1);
  return holder;
}

async function review() {
  return [await pages(async (after) => {
    const page = await get(`/v1/areas/${state.area}/review`, { limit: PAGE, after });
    if (page.items.length === 0) return { next: "", n: 1, node: el("p", { class: "empty" }, t("noDisputes")) };
    return { next: page.next ?? "", n: page.items.length, node: el("div", {}, ...page.items.map(question)) };
  })];
}

// question shows each live value with its author and time, side by side.
function question(q) {
  const claims = q.record.disputed?.[q.field] ?? [];
  const shown = q.record.fields[q.field];
  const about = q.record.fields.name ?? q.record.fields.address;
  return el("article", { class: "question" },
    el("header", {},
      el("h3", {}, [about, t(`f.${q.field}`)].filter(Boolean).join(" · ")),
      el("span", { class: "tag alarm" }, t(q.kind === "exit" ? "kindExit" : "kindConflict")),
      el("small", {}, `${nameOf(q.record.area)} · ${t("openedAt", { at: moment(q.at) })}`)),
    el("div", { class: "claims" }, ...claims.map((c) => el("div", { class: same(c.value, shown) ? "claim shown" : "claim" },
      el("div", { class: "v" }, q.field === "exit" && c.value === null ? t("there") : value(q.field, c.value, false)),
      el("div", { class: "w" }, `${c.author_name ?? c.author} · ${moment(c.at.time)}`),
      same(c.value, shown) ? el("span", { class: "tag" }, t("shown")) : null))));
}

const same = (a, b) => JSON.stringify(a ?? null) === JSON.stringify(b ?? null);

async function roster() {
  const picker = el("div", { class: "picker", role: "group", "aria-label": t("tabRoster") }, ...Object.keys(COLUMNS).map((kind) =>
    el("button", { type: "button", id: `kind-${kind}`, "aria-pressed": String(kind === state.kind), onclick: () => go({ kind }) }, t(`kind.${kind}`))));
  const list = await pages(async (after) => {
    const page = await get(`/v1/areas/${state.area}/roster`, { kind: state.kind, limit: PAGE, after });
    return { next: page.next ?? "", n: page.rows.length, node: rosterTable(page.rows) };
  });
  return [picker, list];
}

function rosterTable(rows) {
  const columns = COLUMNS[state.kind];
  return table(t(`kind.${state.kind}`), [...columns.map((c) => t(`f.${c}`)), t("area"), t("flags")], rows.map((row) => el("tr", {},
    ...columns.map((c, i) => el(i === 0 ? "th" : "td", i === 0 ? { scope: "row" } : {}, value(c, row.fields[c], true),
      row.disputed?.[c] ? el("span", { class: "tag alarm" }, t("disputed")) : null)),
    el("td", {}, nameOf(row.area)),
    el("td", {}, ...tags(row.flags), row.exit ? el("span", { class: "tag" }, t("left")) : null))), true);
}

// value says a field's value as people do.
function value(field, v, mask) {
  if (v === undefined || v === null) return "";
  if (field === "found" && Array.isArray(v)) return String(v.length);
  if (Array.isArray(v)) return v.map((m) => t(`v.${m}`).replace(/^v\./, "")).join("、");
  if (field === "exit") return [t(`v.${v.reason}`).replace(/^v\./, ""), v.date, v.destination].filter(Boolean).join(" · ");
  if (TIMES.has(field)) return moment(v);
  if (field === "value" || field === "temperature") return `${Number(v).toFixed(1)} °C`;
  if (mask && SECRET.has(field)) return `${String(v).slice(0, 3)}****${String(v).slice(-2)}`;
  const key = `v.${v}`;
  return key in TEXTS ? t(key) : String(v);
}

$("language").addEventListener("click", () => {
  state.english = !state.english;
  localStorage.setItem("language", state.english ? "en" : "zh");
  frame();
  if (state.byId.size > 0) show();
  else askToken();
});
$("day").addEventListener("change", (event) => go({ day: event.target.value }));
window.addEventListener("hashchange", () => {
  readPlace();
  if (state.byId.size > 0) show();
  else start();
});
start();
