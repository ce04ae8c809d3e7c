// Coming in: signing in, setting a password by a link, and what remains of tokens.

import { post } from "./api.js";
import { $, el, labelled } from "./draw.js";
import { lasting, say, t } from "./say.js";

// signIn asks for login and password, and for the six digits once the server asks for
// them.
export function signIn(entered, useToken) {
  const login = el("input", { id: "login", autocomplete: "username", autocapitalize: "none", spellcheck: "false", required: true });
  const password = el("input", { id: "password", type: "password", autocomplete: "current-password", required: true });
  const digits = sixDigits("totp");
  const code = labelled(t("digits"), digits);
  code.hidden = true;
  const form = asking(t("signIn"), async () => {
    try {
      await post("/v1/session", { login: login.value.trim(), password: password.value, totp: digits.value.trim() });
      entered();
    } catch (error) {
      if (error.code === "totp_needed") {
        code.hidden = false;
        digits.required = true;
        digits.focus();
        return say(t("digitsNow"));
      }
      digits.value = "";
      throw error;
    }
  }, el("p", {}, t("signInHelp")), labelled(t("login"), login), labelled(t("password"), password), code);
  show(t("signIn"), form, tokenForm(useToken));
}

// show draws a page of its own, outside of any area.
function show(title, ...content) {
  $("title").textContent = title;
  document.title = `${title} · 网格通 gridsync`;
  for (const id of ["watermark", "tabs", "crumbs"]) $(id).replaceChildren();
  $("panel").removeAttribute("aria-labelledby");
  $("panel").replaceChildren(...content);
  $("panel").querySelector("input:not([readonly])")?.focus();
}

const sixDigits = (id) => el("input", { id, inputmode: "numeric", autocomplete: "one-time-code", pattern: "[0-9]{6}", maxlength: "6", class: "digits" });

// asking is a form that is sent once at a time, and says what went wrong.
function asking(words, send, ...inside) {
  const button = el("button", { type: "submit", class: "main" }, words);
  return el("form", { class: "token", onsubmit: async (event) => {
    event.preventDefault();
    button.disabled = true;
    try {
      await send();
    } catch (error) {
      say(refusal(error), true);
    } finally {
      button.disabled = false;
    }
  } }, ...inside, button);
}

// refusal says why somebody wasn't let in, and for how long they have to wait.
const refusal = (error) => (error.wait > 0 ? `${error.message} ${t("waitFor", { n: lasting(error.wait * 1000) })}` : error.message);

// tokenForm takes a phone's token, which stays in this tab.
function tokenForm(useToken) {
  const input = el("input", { id: "token", type: "password", autocomplete: "off", required: true });
  return el("details", { class: "other" }, el("summary", {}, t("byToken")),
    asking(t("open"), async () => useToken(input.value.trim()), el("p", {}, t("tokenHelp")), labelled(t("token"), input)));
}

// welcome draws what sets a password and an authenticator by a link that is good once. The
// secret is asked for once: drawn again in another language it is still the one scanned.
export function welcome(token, done) {
  let setup;
  return async () => {
    try {
      setup ??= await post("/v1/account", { token });
    } catch (error) {
      show(t("welcome"), el("p", {}, t("linkUnusable")), el("p", {}, el("a", { href: "/" }, t("signIn"))));
      return say(error.message, true);
    }
    say("");
    show(t("welcomeTo", { who: setup.name }), settingUp(token, setup, done));
  };
}

function settingUp(token, setup, done) {
  const login = el("input", { id: "login", autocomplete: "username", readonly: true, value: setup.login });
  const [password, again] = ["password", "again"].map((id) => el("input", { id, type: "password", autocomplete: "new-password", minlength: "12", required: true }));
  const digits = sixDigits("totp");
  digits.required = true;
  return asking(t("setPassword"), async () => {
    if (password.value !== again.value) throw new Error(t("notSame"));
    await post("/v1/account", { token, password: password.value, totp: digits.value.trim(), sealed: setup.sealed });
    done();
  }, el("h2", {}, t("stepPassword")), labelled(t("login"), login), labelled(t("newPassword"), password), labelled(t("passwordAgain"), again),
  el("h2", {}, t("stepAuthenticator")), el("p", {}, t("authenticatorHelp")), ...authenticator(setup), labelled(t("digits"), digits));
}

// authenticator shows a secret: to be scanned, to be opened on this phone, to be typed.
function authenticator(setup) {
  return [
    setup.qr ? el("img", { class: "qr", src: setup.qr, alt: t("qrOfSecret"), width: "240", height: "240" }) : null,
    el("p", {}, el("a", { href: setup.uri }, t("openAuthenticator"))),
    labelled(t("secret"), el("input", { id: "secret", readonly: true, value: setup.secret, class: "mono" })),
  ].filter(Boolean);
}
