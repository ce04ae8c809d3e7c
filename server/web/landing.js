// What an invitation's link shows in a browser: into which area it invites, what is to be
// promised, and how to go on in the app. The code is in the part of the address that no
// browser sends, and leaves this page only to ask what the invitation is.

import { post } from "./api.js";
import { $, el, empty } from "./draw.js";
import { both, dayOf, say, t } from "./say.js";
import { state } from "./state.js";

export async function landing(code) {
  $("title").textContent = t("invited");
  document.title = `${t("invited")} · 网格通 gridsync`;
  for (const id of ["watermark", "tabs", "crumbs"]) $(id).replaceChildren();
  say(t("loading"));
  try {
    const invited = await post("/v1/enrol/look", { code });
    $("panel").replaceChildren(...inApp(), ...about(invited, code));
    say("");
  } catch (error) {
    $("panel").replaceChildren(empty(t("askInviter")));
    say(error.message, true);
  }
}

// inApp warns in browsers inside of other apps, from which iOS opens no app and keeps nothing.
function inApp() {
  const agent = navigator.userAgent;
  if (!/MicroMessenger|DingTalk|QQ\/|Weibo|AlipayClient/.test(agent)) return [];
  return [el("p", { class: "note", role: "alert" }, t(/iPhone|iPad/.test(agent) ? "openInSafari" : "openInBrowser"))];
}

function about(invited, code) {
  const line = (label, ...words) => [el("dt", {}, label), el("dd", {}, ...words)];
  const from = invited.from > state.now ? dayOf(invited.from) : t("fromNow");
  return [
    el("dl", { class: "sheet" }, ...line(t("area"), `${invited.area_name} `, el("small", {}, invited.area)), ...line(t("role"), t(`role.${invited.role}`)),
      ...line(t("period"), `${from} – ${invited.to ? dayOf(invited.to - 1) : t("openEnd")}`),
      ...(invited.confirmed ? line(t("afterwards"), t("someoneConfirms")) : [])),
    el("h2", {}, t("yourCode")), el("p", { class: "code" }, code),
    el("h2", {}, t("howOn")),
    el("ol", {}, el("li", {}, t("howInstall")), el("li", {}, t("howScan")), el("li", {}, t("howAccept"))),
    el("p", { class: "w" }, t("howTerminal"), " ", el("code", {}, `gridphone --server ${location.origin} enrol ${code} --name …`)),
    el("h2", {}, t("undertaking")), el("p", { class: "w" }, t("undertakingNote")),
    el("div", { class: "sheet undertaking" }, ...both(invited.undertaking.text).split(/\n+/).map((p) => el("p", {}, p))),
  ];
}
