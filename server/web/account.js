// Who is signed in, what they may do, where else they are signed in, and going.

import { get, post, remove } from "./api.js";
import { deed, el, labelled, row, sure, listing, tag } from "./draw.js";
import { dayOf, moment, say, t } from "./say.js";
import { page, state } from "./state.js";

export async function account() {
  const { sessions } = await get("/v1/sessions");
  return [
    el("p", {}, el("b", {}, state.me.name), ` · ${state.me.login}`),
    held(), el("h2", {}, t("signedInAt")), whereabouts(sessions),
    el("p", { class: "act" }, deed(t("signOut"), signOut, true), deed(t("signOutEverywhere"), async () => {
      await post("/v1/sessions/end", { all: true });
      leave();
    })),
    passwordForm(),
  ];
}

// held are the grants, with what each lets its holder do.
const held = () => listing(t("myGrants"), [t("area"), t("role"), t("rights"), t("until")], state.me.grants.map((g) => row(
  g.area_name || g.area, t(`role.${g.role}`), g.rights.map((r) => t(`right.${r}`)).join("、"), g.to ? dayOf(g.to - 1) : t("openEnd"))));

const whereabouts = (sessions) => listing(t("signedInAt"), [t("browser"), t("since"), t("lastSeen"), t("doing")], sessions.map((s) => row(
  [browser(s.agent), " ", s.current ? tag(t("thisOne")) : null], moment(s.made), moment(s.seen),
  s.current ? "" : deed(t("end"), async () => {
    await post("/v1/sessions/end", { id: s.id });
    await page.show();
    say(t("done"));
  }))));

// browser names what a browser says of itself, shortly.
function browser(agent = "") {
  const name = ["MicroMessenger", "DingTalk", "Edg", "Firefox", "Chrome", "Safari"].find((n) => agent.includes(n));
  const system = ["Windows", "Android", "iPhone", "iPad", "Mac OS", "Linux"].find((n) => agent.includes(n));
  return el("span", { title: agent }, [name?.replace("Edg", "Edge"), system].filter(Boolean).join(" · ") || t("unknownBrowser"));
}

function passwordForm() {
  const old = el("input", { id: "old", type: "password", autocomplete: "current-password" });
  const fresh = el("input", { id: "fresh", type: "password", autocomplete: "new-password", minlength: "12" });
  return sure(t("changePassword"), labelled(t("oldPassword"), old), labelled(t("newPassword"), fresh), deed(t("changePassword"), async () => {
    await post("/v1/account/password", { old: old.value, password: fresh.value });
    await page.show();
    say(t("passwordChanged"));
  }, true));
}

// signOut ends this session, or forgets the token.
export async function signOut() {
  if (state.me) await remove("/v1/session");
  leave();
}

// leave begins anew, with nothing of what was shown left in the page.
function leave() {
  sessionStorage.removeItem("token");
  location.hash = "";
  location.reload();
}
