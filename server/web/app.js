// The page: totals, rounds, the desk at which questions are settled, and rosters, of
// the areas that a token's owner may see. It asks the server's API and keeps nothing
// but the token, in this tab alone. What people typed is only ever set as text.

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
  tabReview: ["核查", "Desk"],
  tabRoster: ["名册", "Roster"],
  asOf: ["截至", "As of"],
  version: ["版本", "Version"],
  devices: ["设备（已联系/应有）", "Devices (heard/expected)"],
  unsent: ["手机未上传", "Unsent on phones"],
  disputes: ["待核查事项", "Open questions"],
  parked: ["其中等待的记录", "of them entries that wait"],
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
  noQuestions: ["没有需要处理的事项", "There is nothing to settle"],
  allKinds: ["全部", "All"],
  conflict: ["填写不一致", "Differing entries"], duplicate: ["疑似重复", "Duplicates"],
  double_visit: ["重复入户", "Double visits"], parked_: ["待处理记录", "Waiting entries"],
  implausible: ["数据存疑", "Implausible"], exit: ["离开存疑", "Left, and edited"], restated: ["日结变动", "Restated days"],
  openedAt: ["提出于 {at}", "Raised {at}"],
  dueAt: ["应于 {at} 前办结", "Due {at}"],
  overdue: ["已逾期", "overdue"],
  assignedTo: ["承办人 {who}", "Given to {who}"],
  stateOpen: ["待处理", "Open"], stateReturned: ["已退回填写人", "Back with its author"], stateClosed: ["已办结", "Settled"],
  score: ["相似度 {n}", "Score {n}"],
  bucket: ["录入情况异常", "How entries came"],
  waitingEntry: ["一条等待处理的记录", "An entry that waits"],
  selected: ["已选 {n} 项", "{n} selected"],
  select: ["选择：{what}", "Select: {what}"],
  chooseMany: ["选择同一类事项可一并处理", "Select questions of one kind to settle them together"],
  takeShown: ["均按现显示的值", "Take what is shown"],
  back: ["返回列表", "Back to the list"],
  pickCase: ["请从列表中选择一项", "Choose a question from the list"],
  shown: ["现显示", "Shown now"],
  there: ["在册（有人同时修改了档案）", "Still here (edited at the same time)"],
  none: ["（空）", "(empty)"],
  otherFields: ["其余栏目", "The other fields"],
  first: ["甲", "A"], second: ["乙", "B"],
  compare: ["两份档案对照", "The two records side by side"],
  field: ["栏目", "Field"],
  agrees: ["一致", "agrees"], differs: ["不同", "differs"],
  evidence: ["判断依据", "What speaks for it"],
  points: ["{n} 分", "{n} points"],
  observed: ["发生", "Observed"], entered: ["填写", "Entered"], received: ["收到", "Received"],
  late: ["补录", "entered late"],
  within: ["±{n}", "±{n}"],
  minutes: ["{n} 分", "{n} min"], seconds: ["{n} 秒", "{n} s"], hours: ["{n} 小时", "{n} h"], days: ["{n} 天", "{n} d"],
  device: ["设备", "Device"],
  waitsBecause: ["等待原因", "Why it waits"],
  itSays: ["内容", "What it says"],
  window: ["{who}，{from} 至 {to}，共 {n} 条", "{who}, {from} to {to}, {n} entries"],
  windowList: ["这段时间的记录（最多 100 条）", "Entered in that time (at most 100)"],
  what: ["内容", "What"], who: ["谁", "Who"],
  drift: ["已签认的数字与现在", "Signed, and now"],
  measure: ["指标", "Measure"], signed: ["签认", "Signed"], now: ["现在", "Now"], difference: ["差", "Difference"],
  neighbours: ["相关档案", "Records around it"],
  history: ["经过", "What happened"],
  earlier: ["以往裁定", "Earlier decisions"],
  everything: ["{what}：全部记录", "{what}: everything that was said"],
  decision: ["裁定", "decision"],
  opened: ["提出", "raised"], closed: ["办结", "settled"], assigned: ["交办", "given to"], routed: ["转办", "sent on"], returned: ["退回", "returned"], undone: ["撤回裁定", "withdrawn"],
  "end.decided": ["已裁定", "decided"], "end.merged": ["已合并", "merged"], "end.different": ["不是同一个", "not the same"],
  "end.accepted": ["照此接受", "accepted"], "end.agreed": ["填写人已一致", "the authors agree"], "end.corrected": ["已更正", "corrected"],
  "end.taken_up": ["所等待的已到", "what it waited for came"], "end.answered": ["已重新提交", "submitted anew"], "end.signed": ["已重新签认", "signed again"],
  "act.choose": ["采用所选", "Take the one chosen"], "act.merge": ["合并为一份", "Merge them"], "act.different": ["不是同一个", "Not the same"],
  "act.route": ["转到", "Send to"], "act.accept": ["接受", "Accept"], "act.return": ["退回填写人", "Return to its author"],
  "act.assign": ["交办", "Give it to"], "act.undo": ["撤回裁定", "Withdraw the decision"],
  signAgain: ["按现在的数字重新签认", "Sign again with the figures of now"],
  chooseArea: ["选择区域", "Choose an area"], asItSays: ["照其所写", "As it says"],
  "check.odd_temperature": ["体温不在合理范围", "Temperature out of range"], "check.birth_contradicted": ["出生日期与身份证号不符", "Birth is not the ID number's"],
  "check.even_temperatures": ["读数雷同", "Readings all the same"], "check.hasty_temperatures": ["测温过快", "Readings too fast"],
  "check.burst_of_temperatures": ["集中录入", "Entered all at once"], "check.hasty_visits": ["入户过快", "Visits too fast"],
  typeAnother: ["另填", "Type another"],
  keep: ["保留{which}的编号", "Keep the id of {which}"],
  leftOn: ["如是搬迁：离开日期", "If they moved: the day they left"],
  reason: ["理由", "Reason"],
  needReason: ["请写明退回的理由", "Please say why it is returned"],
  needChoice: ["请先选择一个值", "Please choose a value first"],
  without: ["不采用", "Leave out"],
  belongsTo: ["归属", "Belongs to"],
  nobody: ["无人", "nobody"], me: ["本人", "myself"],
  author: ["裁定人", "Deciding"],
  mayNot: ["本凭证不能裁定此事项", "This token's owner may not settle this"],
  done: ["已处理", "Done"],
  notDone: ["没有成功：{why}", "Not done: {why}"],
  manyDone: ["已处理 {n} 项", "{n} settled"],
  someFailed: ["已处理 {n} 项，{m} 项未成：{why}", "{n} settled, {m} not: {why}"],
  movedOn: ["情况已有变化，以下是最新内容；您的裁定没有生效", "This has changed meanwhile. Below is how it stands; nothing of your decision was done"],
  "part.id_number": ["身份证号", "ID number"], "part.mobile": ["手机号", "Mobile"], "part.name": ["姓名", "Name"], "part.sound": ["姓名读音", "Sound of the name"],
  "part.birth": ["出生日期", "Date of birth"], "part.household": ["同一户", "Household"], "part.address": ["同一住址", "Address"], "part.event": ["同一次入户", "One visit"],
  "role.volunteer": ["网格员", "volunteer"], "role.secretary": ["社区书记", "secretary"], "role.township": ["街道", "township"], "role.county": ["县", "county"],
  "verdict.applied": ["已记入", "applied"], "verdict.merged": ["已合并记入", "merged"], "verdict.disputed": ["有争议", "disputed"], "verdict.parked": ["等待处理", "waits"],
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
  "f.household": ["所在户", "Household"], "f.arrived_on": ["到达日期", "Arrived on"], "f.transport": ["交通方式", "Came by"],
  "f.contact_history": ["接触史、旅居史", "Contacts and travels"], "f.vulnerable": ["特殊人群", "Vulnerable"], "f.note": ["备注", "Note"],
  "f.building": ["楼栋单元", "Building"], "f.landlord": ["房东", "Landlord"], "f.person": ["人员", "Person"], "f.round": ["排查轮次", "Round"],
  "f.method": ["测量方式", "Method"], "f.symptoms": ["症状", "Symptoms"], "f.direction": ["方向", "Direction"], "f.from": ["来自", "From"], "f.to": ["去往", "To"],
  "f.health_code": ["健康码", "Health code"], "f.changes": ["异动", "Changes"], "f.notice_given": ["已发告知书", "Notice handed out"],
  "f.released_on": ["解除日期", "Released on"], "f.day": ["日期", "Day"], "f.figures": ["签认数字", "Figures"], "f.same_as": ["并入", "Merged into"],
  "f.residences": ["以往居住地", "Lived before in"], "f.ends": ["结束", "Ends"], "f.medicated": ["服用退烧药", "Took medicine"],
  "f.breaches": ["违规情况", "Breaches"], "f.needs": ["生活需求", "Needs"], "f.thermometer": ["体温计编号", "Thermometer"],
  "f.self_reported": ["自报", "Self-reported"],
  "f.verdict": ["裁定", "Ruling"], "f.item": ["事项", "Question"], "f.about": ["所涉档案", "About"], "f.subject": ["所涉内容", "Subject"],
  "f.assignee": ["承办人", "Assignee"], "f.reason": ["理由", "Reason"], "f.without": ["不采用的栏目", "Taken without"],
  "kind.day_close": ["日结", "Day signed"], "kind.review": ["核查裁定", "Ruling"],
  "v.met": ["见到", "met"], "v.not_home": ["家中无人", "not home"], "v.refused": ["拒绝", "refused"],
  "v.registered": ["户籍", "registered"], "v.migrant": ["流动", "migrant"], "v.rented": ["租住", "rented"],
  "v.dormitory": ["集体宿舍", "dormitory"], "v.firm": ["企业", "firm"], "v.male": ["男", "male"], "v.female": ["女", "female"],
  "v.am": ["上午", "morning"], "v.pm": ["下午", "afternoon"], "v.pass": ["放行", "let through"], "v.turned_back": ["劝返", "turned back"],
  "v.home": ["居家", "home"], "v.wuhan_return": ["武汉返回", "from Wuhan"], "v.contact": ["一般接触", "contact"],
  "v.noon": ["中午", "noon"], "v.forehead": ["额温", "forehead"], "v.in": ["进", "in"], "v.out": ["出", "out"],
  "v.true": ["是", "yes"], "v.false": ["否", "no"], "v.died": ["死亡", "died"], "v.mistake": ["登记有误", "mistake"],
  "v.alone_old": ["孤寡老人", "elderly, alone"], "v.chronic": ["慢性病", "chronic illness"], "v.disabled": ["残障", "disabled"],
  "v.pregnant": ["孕妇", "pregnant"], "v.young_child": ["低龄儿童", "young child"],
  "v.accept": ["照此接受", "accepted"], "v.different": ["不是同一个", "not the same"], "v.return": ["退回核实", "returned"],
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
const KINDS = ["conflict", "duplicate", "double_visit", "parked", "implausible", "exit", "restated"];
// CHECKED are the fields that a check on one record looks at.
const CHECKED = { odd_temperature: ["value"], birth_contradicted: ["birth", "id_number"] };

const state = { token: "", english: false, areas: [], byId: new Map(), area: "", day: "", tab: "Totals", kind: "person", about: "", item: "", turn: 0 };
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
function get(path, query = {}) {
  const search = new URLSearchParams(Object.entries(query).filter(([, v]) => v !== ""));
  return ask(`${path}?${search}`, {});
}

const post = (path, body) => ask(path, { method: "POST", body: JSON.stringify(body) });

async function ask(path, options) {
  let response;
  try {
    const headers = { Authorization: `Bearer ${state.token}`, ...(options.body ? { "Content-Type": "application/json" } : {}) };
    response = await fetch(path, { ...options, headers });
  } catch {
    throw new Error(t("offline"));
  }
  const body = await response.json().catch(() => null);
  if (response.ok && body) return body;
  const error = body?.error ?? body;
  throw Object.assign(new Error(why(error) || String(response.status)), { status: response.status });
}

// why says what an error of the API says, to a person.
function why(error) {
  if (!error) return "";
  return [error.message ? both(error.message) : error.code, error.field].filter(Boolean).join(" · ");
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
  state.about = KINDS.includes(place.get("about")) ? place.get("about") : "";
  state.item = place.get("item") ?? "";
}

function href(change) {
  const { area, day, tab, kind, about, item } = { ...state, item: "", ...change };
  const place = { area, day, tab, kind, about, item };
  return `#${new URLSearchParams(Object.entries(place).filter(([, v]) => v))}`;
}

// go changes the place; where it is the same already, what is there is read anew.
function go(change) {
  const place = href(change);
  if (place === location.hash) return show();
  location.hash = place;
}

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
    state.now = summary.watermark.at;
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
  }, t(`tab${name}`) + (name === "Review" ? ` ${count(summary.watermark.disputes)}` : ""))));
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
      return { next: page.next ?? "", n: page.only_b.length, node: page.only_b.length > 0 ? lateTable(page.only_b) : null };
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
    if (n === 0) return holder.replaceChildren(node ?? el("p", { class: "empty" }, t("noRows")));
    holder.replaceChildren(node, el("div", { class: "pager" },
      el("button", { type: "button", disabled: from === 1, onclick: move("", 1) }, t("previous")),
      el("span", { role: "status" }, t("rows", { from: count(from), to: count(from + n - 1) })),
      el("button", { type: "button", disabled: next === "", onclick: move(next, from + n) }, t("next"))));
  };
  await turn("", 1);
  return holder;
}

// The desk: a list of open questions, one of them beside it, and what can be done.

const kindName = (kind) => t(kind === "parked" ? "parked_" : kind);
const labelOf = (field) => (`f.${field}` in TEXTS ? t(`f.${field}`) : field);

async function review() {
  const ask = (after) => get(`/v1/areas/${state.area}/review`, { kind: state.about, limit: PAGE, after });
  const page = await ask("");
  state.open = Object.values(page.counts ?? {}).reduce((sum, n) => sum + n, 0);
  const chosen = new Map();
  const bulk = el("div", { class: "bulk", id: "bulk" });
  const list = await pages(async (after) => {
    const { items, next } = after === "" ? page : await ask(after);
    chosen.clear();
    drawBulk(bulk, chosen);
    if (items.length === 0) return { next: "", n: 0, node: el("p", { class: "empty" }, t("noQuestions")) };
    return { next: next ?? "", n: items.length, node: el("ul", { class: "queue" }, ...items.map((q) => queued(q, chosen, bulk))) };
  });
  const open = state.item ? await openCase(state.item) : el("p", { class: "empty" }, t("pickCase"));
  return [byKind(page.counts ?? {}), el("div", { class: state.item ? "desk open" : "desk" },
    el("section", { class: "list", "aria-label": t("tabReview") }, bulk, list),
    el("section", { class: "case", id: "case", tabindex: "-1" }, open))];
}

// byKind is the filter, with how many questions there are of each kind.
function byKind(counts) {
  const button = (kind, label, n) => el("button", {
    type: "button", id: `about-${kind || "all"}`, "aria-pressed": String(kind === state.about), onclick: () => go({ about: kind }),
  }, label, " ", el("b", {}, count(n)));
  return el("div", { class: "picker", role: "group", "aria-label": t("tabReview") },
    button("", t("allKinds"), state.open), ...KINDS.map((kind) => button(kind, kindName(kind), counts[kind] ?? 0)));
}

// titleOf says in a few words which record it is.
function titleOf(row) {
  if (!row) return "";
  const f = row.fields;
  const name = f.name ?? f.address ?? (f.plate || undefined);
  if (name !== undefined) return String(name);
  const words = { temperature: ["value", "slot", "taken_at"], visit: ["outcome", "visited_at"], day_close: ["day"], observation: ["start"] }[row.kind] ?? [];
  return [t(`kind.${row.kind}`), ...words.map((w) => value(w, f[w], false))].filter(Boolean).join(" · ");
}

function subject(q) {
  if (q.record) return [titleOf(q.record), q.other ? titleOf(q.other) : ""].filter(Boolean).join(" ⇄ ");
  return t(q.kind === "parked" ? "waitingEntry" : "bucket");
}

function stateTags(q) {
  const late = q.state !== "closed" && q.due < state.now;
  return [
    el("span", { class: q.state === "closed" ? "tag" : "tag alarm" }, kindName(q.kind)),
    ["conflict", "exit"].includes(q.kind) ? el("span", { class: "tag" }, labelOf(q.field)) : null,
    q.kind === "implausible" ? el("span", { class: "tag" }, checkOf(q.field)) : null,
    q.state === "open" ? null : el("span", { class: "tag" }, t(q.state === "returned" ? "stateReturned" : "stateClosed")),
    q.ending ? el("span", { class: "tag" }, t(`end.${q.ending}`)) : null,
    q.score ? el("span", { class: "tag" }, t("score", { n: q.score })) : null,
    late ? el("span", { class: "tag alarm" }, t("overdue")) : null,
  ];
}

// checkOf is the name of the check that a record fails; of a window it is one part.
function checkOf(field) {
  const name = field.split("/")[1] ?? field;
  return `check.${name}` in TEXTS ? t(`check.${name}`) : name;
}

const whenDue = (q) => [nameOf(q.area), t("openedAt", { at: moment(q.at) }), t("dueAt", { at: moment(q.due) }),
  q.assignee ? t("assignedTo", { who: q.assignee.name }) : ""].filter(Boolean).join(" · ");

function queued(q, chosen, bulk) {
  const pick = el("input", { type: "checkbox", "aria-label": t("select", { what: subject(q) }), onchange: (event) => {
    if (event.target.checked) chosen.set(q.id, q);
    else chosen.delete(q.id);
    drawBulk(bulk, chosen);
  } });
  return el("li", { class: q.id === state.item ? "queued current" : "queued" }, pick, el("div", {},
    el("a", { href: href({ item: q.id }), "aria-current": q.id === state.item ? "true" : false }, subject(q)),
    el("div", {}, ...stateTags(q).filter(Boolean)), el("small", {}, whenDue(q))));
}

// drawBulk offers what can be done with all that are chosen, if they are of one kind.
function drawBulk(bulk, chosen) {
  const all = [...chosen.values()];
  const acts = { conflict: ["choose"], exit: ["choose"], duplicate: ["different"], double_visit: ["different"],
    parked: ["accept"], implausible: ["accept"], restated: ["accept"] }[all[0]?.kind] ?? [];
  if (all.length < 2 || all.some((q) => q.kind !== all[0].kind)) {
    bulk.replaceChildren(el("small", {}, all.length > 0 ? t("selected", { n: all.length }) + " · " : "", t("chooseMany")));
    return;
  }
  const reason = el("input", { id: "bulk-reason", "aria-label": t("reason"), placeholder: t("reason") });
  bulk.replaceChildren(el("b", {}, t("selected", { n: all.length })), reason, ...acts.map((act) => el("button", {
    type: "button", class: "main", onclick: () => orderMany(all, act, reason.value.trim()),
  }, t(act === "choose" ? "takeShown" : `act.${act}`))));
}

async function orderMany(all, act, reason) {
  try {
    const first = await get(`/v1/review/${all[0].id}`);
    const author = Object.keys(first.acts ?? {}).find((id) => first.acts[id].includes(act));
    if (!author) return say(t("mayNot"), true);
    const orders = all.map((q) => ({ item: q.id, act, reason: reason || undefined,
      ...(act === "choose" ? { fields: { [q.field]: q.record.fields[q.field] ?? null } } : {}) }));
    const { results } = await post("/v1/review", { author, orders });
    const bad = results.filter((r) => r.error);
    await show();
    if (bad.length === 0) say(t("manyDone", { n: count(results.length) }));
    else say(t("someFailed", { n: count(results.length - bad.length), m: count(bad.length), why: why(bad[0].error) }), true);
  } catch (error) {
    say(t("failed", { why: error.message }), true);
  }
}

// openCase draws one question with everything that a decider needs.
async function openCase(id, note = "") {
  let c;
  try {
    c = await get(`/v1/review/${id}`);
  } catch (error) {
    return el("p", { class: "empty" }, error.message);
  }
  state.names = new Map([...(c.neighbours ?? []), ...(c.records ?? [])].map((row) => [row.id, titleOf(row)]));
  return el("article", {},
    el("p", { class: "back" }, el("a", { href: href({}) }, `‹ ${t("back")}`)),
    note ? el("p", { class: "note", role: "alert" }, note) : null,
    el("header", {}, el("h2", {}, [about(c), subject(c)].filter(Boolean).join("：")), el("div", {}, ...stateTags(c).filter(Boolean)), el("small", {}, whenDue(c))),
    ...bodyOf(c), acts(c), around(c), happened(c), earlier(c), ...(c.records ?? []).map(everything));
}

// about names the person or the household that a reading or a visit is of.
function about(c) {
  const row = c.records?.[0];
  const id = row && !row.fields.name && !row.fields.address ? row.fields.person ?? row.fields.household : undefined;
  return state.names.get(id) ?? "";
}

function bodyOf(c) {
  if (c.kind === "parked") return [c.waiting ? waiting(c.waiting) : null].filter(Boolean);
  if (c.kind === "restated") return [driftTable(c.drift ?? [])];
  const records = c.records ?? [];
  const body = c.window ? [windowOf(c.window)] : [];
  if (c.kind === "duplicate" || c.kind === "double_visit") body.push(evidence(c.evidence ?? []));
  if (records.length === 2) body.push(sideBySide(records));
  else if (records.length === 1) body.push(...oneRecord(c, records[0]));
  return body;
}

// oneRecord shows the values in doubt side by side, and the rest below.
function oneRecord(c, row) {
  const doubts = row.values.filter((f) => f.values.length > 0 && (f.disputed || f.name === c.field || CHECKED[c.field]?.includes(f.name)));
  const rest = row.values.filter((f) => !doubts.includes(f) && f.values.length > 0);
  return [
    ...doubts.map((f) => doubt(c, f)),
    el("details", {}, el("summary", {}, t("otherFields")), el("dl", {}, ...rest.flatMap((f) => [
      el("dt", {}, both(f.label)), el("dd", {}, ...f.values.flatMap((v) => [el("span", {}, said(f.name, v.value)), " ", ...by(v.witnesses)]))]))),
  ].filter(Boolean);
}

// doubt is one field in doubt: every live value with all who say so, and another to type.
function doubt(c, f) {
  const name = `choice-${f.name}`;
  const choosing = Object.values(c.acts ?? {}).some((may) => may.includes("choose"));
  const radio = (v, label) => (choosing ? el("label", { class: "pick" }, el("input", { type: "radio", name, value: JSON.stringify(v) }), label) : label);
  const claims = f.values.map((v, i) => el("div", { class: i === 0 ? "claim shown" : "claim" },
    radio(v.value, el("span", { class: "v" }, said(f.name, v.value))),
    i === 0 ? el("span", { class: "tag" }, t("shown")) : null, ...v.witnesses.map(witness)));
  const typed = f.name === "exit" ? null : el("div", { class: "claim" }, el("label", { class: "pick" },
    el("input", { type: "radio", name, value: "typed" }), el("span", {}, t("typeAnother"))),
  el("input", { id: `typed-${f.name}`, "aria-label": `${both(f.label)} · ${t("typeAnother")}`, inputmode: typeof f.values[0]?.value === "number" ? "decimal" : "text",
    onfocus: (event) => { event.target.closest(".claim").querySelector("[type=radio]").checked = true; } }));
  return el("fieldset", { class: "doubt", "data-field": f.name, "data-number": String(typeof f.values[0]?.value === "number") },
    el("legend", {}, both(f.label)), el("div", { class: "claims" }, ...claims, choosing ? typed : null));
}

// said is a value as people say it; ids of records that are at hand become their names.
function said(field, v) {
  if (v === null || v === undefined) return field === "exit" ? t("there") : t("none");
  if (field === "area") return nameOf(v);
  if (Array.isArray(v) && v.some((m) => state.names?.has(m))) return v.map((m) => state.names.get(m) ?? short(m)).join("、");
  if (typeof v === "string" && state.names?.has(v)) return state.names.get(v);
  if (typeof v === "string" && /^[0-9a-f]{8}-[0-9a-f-]{27}$/.test(v)) return `${short(v)}…`;
  return value(field, v, false) || t("none");
}
const short = (id) => String(id).slice(0, 8);

// witness says who said something: author, post, device, and the three times.
function witness(w) {
  const line = (label, text) => (text ? el("div", { class: "w" }, `${label} ${text}`) : null);
  const post = [w.role ? t(`role.${w.role}`) : "", w.post].filter(Boolean).join(" · ");
  const late = w.observed && w.entered.time - w.observed > 6 * 3600_000;
  return el("div", { class: "witness" }, el("b", {}, w.author.name || short(w.author.id)), post ? ` ${post}` : "",
    line(t("device"), w.device_name), line(t("observed"), w.observed ? moment(w.observed) : ""),
    line(t("entered"), `${moment(w.entered.time)} ${margin(w.entered)}${late ? ` · ${t("late")}` : ""}`),
    line(t("received"), w.received ? moment(w.received) : ""));
}

// margin is how far the corrected time may be off.
function margin(stamp) {
  if (!stamp.earliest) return "";
  const ms = Math.max(stamp.latest - stamp.time, stamp.time - stamp.earliest);
  const unit = [["days", 86400_000], ["hours", 3600_000], ["minutes", 60_000]].find(([, size]) => ms >= 2 * size) ?? ["seconds", 1000];
  return t("within", { n: t(unit[0], { n: Math.round(ms / unit[1]) }) });
}

const by = (witnesses) => [el("small", {}, witnesses.map((w) => w.author.name || short(w.author.id)).join("、"))];

function evidence(parts) {
  return el("p", { class: "evidence" }, `${t("evidence")}：`, ...parts.map((e) =>
    el("span", { class: e.points < 0 ? "tag alarm" : "tag" }, `${t(`part.${e.part}`)} ${e.points > 0 ? "+" : ""}${e.points}`)));
}

// sideBySide holds two records against each other, field by field.
function sideBySide([a, b]) {
  const names = [...new Set([...a.values, ...b.values].map((f) => f.name))];
  const find = (row, name) => row.values.find((f) => f.name === name);
  const cell = (f) => el("td", {}, ...(f?.values ?? []).flatMap((v) => [el("div", {}, said(f.name, v.value)), el("div", { class: "w" }, ...by(v.witnesses))]));
  const rows = names.filter((n) => find(a, n)?.values.length || find(b, n)?.values.length).map((n) => {
    const [one, other] = [find(a, n), find(b, n)];
    const [x, y] = [one?.values[0]?.value, other?.values[0]?.value];
    const agree = x === undefined || y === undefined ? "single" : same(folded(x), folded(y)) ? "agree" : "differ";
    return el("tr", { class: agree }, el("th", { scope: "row" }, both((one ?? other).label)), cell(one), cell(other));
  });
  const who = (row) => el("div", {}, ...[row.values.find((f) => f.values.length)?.values[0].witnesses[0]].filter(Boolean).map(witness));
  rows.unshift(el("tr", {}, el("th", { scope: "row" }, t("who")), el("td", {}, who(a)), el("td", {}, who(b))));
  return table(t("compare"), [t("field"), `${t("first")} · ${nameOf(a.area)}`, `${t("second")} · ${nameOf(b.area)}`], rows, true);
}

function waiting(w) {
  return el("div", { class: "claim" }, witness(w),
    w.reason ? el("p", {}, el("span", { class: "tag alarm" }, t("waitsBecause")), why(w.reason)) : null,
    el("dl", {}, el("dt", {}, labelOf("area")), el("dd", {}, nameOf(w.area)), ...fieldsOf(w.fields)));
}

const fieldsOf = (fields) => Object.entries(fields).flatMap(([name, v]) => [el("dt", {}, labelOf(name)), el("dd", {}, said(name, v))]);

function windowOf(w) {
  return el("div", {}, el("p", {}, el("b", {}, both(w.label)), el("br"),
    t("window", { who: w.who, from: moment(w.start), to: moment(w.end), n: count(w.count) })),
  el("details", { open: true }, el("summary", {}, t("windowList")), statements(w.entered ?? [], t("windowList"))));
}

function statements(list, caption) {
  return table(caption, [t("who"), t("entered"), t("what"), ""], list.map((s) => el("tr", {},
    el("th", { scope: "row" }, s.author.name || short(s.author.id)), el("td", { class: "short" }, `${moment(s.entered.time)} ${margin(s.entered)}`),
    el("td", { class: "wrap" }, Object.entries(s.fields).map(([n, v]) => `${labelOf(n)} ${said(n, v)}`).join("；")),
    el("td", { class: "short" }, `verdict.${s.verdict}` in TEXTS ? t(`verdict.${s.verdict}`) : s.verdict, s.decides ? el("span", { class: "tag" }, t("decision")) : null, s.undone ? el("span", { class: "tag" }, t("undone")) : null))), true);
}

function driftTable(drift) {
  return table(t("drift"), [t("measure"), t("signed"), t("now"), t("difference")], drift.map((d) => el("tr", {},
    el("th", { scope: "row" }, both(d.label)), el("td", {}, count(d.signed)), el("td", {}, count(d.now)),
    el("td", { class: "alarm" }, `${d.now > d.signed ? "+" : ""}${count(d.now - d.signed)}`))));
}

function around(c) {
  const rows = c.neighbours ?? [];
  if (rows.length === 0) return null;
  return el("details", {}, el("summary", {}, `${t("neighbours")} ${rows.length}`), el("dl", {}, ...rows.flatMap((row) => [
    el("dt", {}, t(`kind.${row.kind}`)), el("dd", {}, titleOf(row), " ", el("small", {}, [nameOf(row.area), ...["sex", "birth", "residence", "tenure", "headcount"]
      .map((f) => value(f, row.fields[f], true))].filter(Boolean).join(" · ")), ...tags(row.flags))])));
}

function happened(c) {
  const detail = (h) => {
    if (`end.${h.detail}` in TEXTS) return t(`end.${h.detail}`);
    return h.what === "assigned" ? personName(c, h.detail) : nameOf(h.detail ?? "");
  };
  return el("details", { open: true }, el("summary", {}, t("history")), el("ol", { class: "events" }, ...c.history.map((h) =>
    el("li", {}, el("span", {}, moment(h.at)), " ", t(h.what), " ", detail(h), h.by ? ` · ${h.by.name}` : ""))));
}

const earlier = (c) => (c.earlier?.length ? el("details", {}, el("summary", {}, `${t("earlier")} ${c.earlier.length}`), statements(c.earlier, t("earlier"))) : null);

// everything that was ever said about a record, read when it is opened.
function everything(row) {
  const holder = el("div");
  return el("details", { ontoggle: async (event) => {
    if (!event.target.open || holder.hasChildNodes()) return;
    try {
      const page = await get(`/v1/records/${row.id}/history`);
      holder.replaceChildren(statements(page.statements, titleOf(row)));
    } catch (error) {
      holder.replaceChildren(el("p", { class: "empty" }, error.message));
    }
  } }, el("summary", {}, t("everything", { what: titleOf(row) })), holder);
}

// people are those whom the case names, by id.
function people(c) {
  const found = new Map();
  const add = (p) => p?.id && found.set(p.id, p.name);
  for (const row of c.records ?? []) for (const f of row.values) for (const v of f.values) v.witnesses.forEach((w) => add(w.author));
  for (const s of [c.waiting, ...(c.earlier ?? []), ...(c.window?.entered ?? [])]) add(s?.author);
  add(c.assignee);
  for (const h of c.history) add(h.by);
  return found;
}
const personName = (c, id) => people(c).get(id) || short(id ?? "");

// acts offers what the answer says may be done, by whichever author of this device may.
function acts(c) {
  const authors = Object.keys(c.acts ?? {});
  if (authors.length === 0) return el("p", { class: "empty" }, t("mayNot"));
  const may = c.acts[authors[0]];
  const author = el("select", { id: "author", "aria-label": t("author") }, ...authors.map((id) => el("option", { value: id }, personName(c, id))));
  const reason = el("input", { id: "reason" });
  const act = (name, order = () => ({}), ...inputs) => (may.includes(name) ? el("div", { class: `act act-${name}` }, ...inputs,
    el("button", { type: "button", class: ["choose", "merge", "accept"].includes(name) ? "main" : false, onclick: () => send(c, name, author.value, reason.value.trim(), order) },
      t(name === "accept" && c.kind === "restated" ? "signAgain" : `act.${name}`))) : null);
  return el("form", { class: "acts", onsubmit: (event) => event.preventDefault() },
    authors.length > 1 ? el("label", {}, t("author"), author) : null,
    el("label", {}, t("reason"), reason), act("choose", () => chosenFields()), ...mergeAct(c, act), act("different"), ...acceptAct(c, act),
    act("return", () => (reason.value.trim() ? {} : null)), ...routeAct(c, act), ...assignAct(c, act, author), act("undo"));
}

function mergeAct(c, act) {
  if ((c.records ?? []).length !== 2) return [];
  const survivor = el("select", { id: "survivor", "aria-label": t("keep", { which: "" }) }, ...c.records.map((row, i) =>
    el("option", { value: row.id }, t("keep", { which: t(i === 0 ? "first" : "second") }))));
  const left = el("input", { id: "left", type: "date" });
  const moved = c.records[0].kind === "person" && c.records[0].area !== c.records[1].area;
  return [act("merge", () => ({ survivor: survivor.value, left: left.value || undefined }), survivor, moved ? el("label", {}, t("leftOn"), left) : null)];
}

function acceptAct(c, act) {
  if (c.kind !== "parked" || !c.waiting) return [act("accept")];
  const without = Object.keys(c.waiting.fields).map((name) => el("label", { class: "pick" }, el("input", { type: "checkbox", "data-without": name, value: name }), labelOf(name)));
  const place = areaSelect("accept-area", t("belongsTo"), t("asItSays"));
  const order = () => ({ area: place.value || undefined, without: without.map((l) => l.firstChild).filter((box) => box.checked).map((box) => box.value) });
  return [act("accept", order, el("label", {}, t("belongsTo"), place), el("details", {}, el("summary", {}, t("without")), ...without))];
}

const areaSelect = (id, label, none) => el("select", { id, "aria-label": label }, el("option", { value: "" }, none),
  ...state.areas.map((a) => el("option", { value: a.id }, `${a.name} ${a.id}`)));

function routeAct(c, act) {
  const place = areaSelect("route-area", t("act.route"), t("chooseArea"));
  return [act("route", () => (place.value ? { area: place.value } : null), place)];
}

function assignAct(c, act, author) {
  const who = el("select", { id: "assignee", "aria-label": t("act.assign") }, el("option", { value: "me" }, t("me")), el("option", { value: "" }, t("nobody")),
    ...[...people(c)].map(([id, name]) => el("option", { value: id }, name || short(id))));
  return [act("assign", () => ({ assignee: (who.value === "me" ? author.value : who.value) || undefined }), who)];
}

// chosenFields are the values chosen for the fields in doubt; null if one is missing.
function chosenFields() {
  const fields = {};
  for (const set of document.querySelectorAll(".doubt")) {
    const picked = set.querySelector("[type=radio]:checked");
    const typed = $(`typed-${set.dataset.field}`)?.value.trim();
    if (!picked || (picked.value === "typed" && !typed)) return null;
    const number = set.dataset.number === "true" && !Number.isNaN(Number(typed));
    fields[set.dataset.field] = picked.value !== "typed" ? JSON.parse(picked.value) : number ? Number(typed) : typed;
  }
  return { fields };
}

// send orders, and shows the question as it then stands.
async function send(c, act, author, reason, order) {
  const more = order();
  if (more === null) return say(t({ choose: "needChoice", return: "needReason" }[act] ?? "chooseArea"), true);
  try {
    const { results } = await post("/v1/review", { author, orders: [{ item: c.id, act, seen: c.seen, reason: reason || undefined, ...more }] });
    const error = results[0]?.error;
    if (error && error.code !== "moved_on") return say(t("notDone", { why: why(error) }), true);
    await show();
    if (error) $("case").replaceChildren(await openCase(c.id, t("movedOn")));
    say(error ? t("movedOn") : t("done"), Boolean(error));
    $("case")?.focus();
  } catch (error) {
    say(t("notDone", { why: error.message }), true);
  }
}

// folded is a value without what the ways of typing it add: full width, spaces, hyphens.
const folded = (v) => (typeof v === "string" ? v.normalize("NFKC").replace(/[\s-]/g, "") : v);
const same = (a, b) => JSON.stringify(a ?? null) === JSON.stringify(b ?? null);

async function roster() {
  const picker = el("div", { class: "picker", role: "group", "aria-label": t("tabRoster") }, ...Object.keys(COLUMNS).map((kind) =>
    el("button", { type: "button", id: `kind-${kind}`, "aria-pressed": String(kind === state.kind), onclick: () => go({ kind }) }, t(`kind.${kind}`))));
  const list = await pages(async (after) => {
    const page = await get(`/v1/areas/${state.area}/roster`, { kind: state.kind, limit: PAGE, after });
    return { next: page.next ?? "", n: page.rows.length, node: page.rows.length > 0 ? rosterTable(page.rows) : null };
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
  if (typeof v === "object" && field !== "exit") return JSON.stringify(v);
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
