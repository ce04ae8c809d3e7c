// Asking the server. Whatever goes wrong is an Error whose message a person can read.

import { both, has, t } from "./say.js";
import { page, state } from "./state.js";

export const get = (path, query = {}) => ask(withQuery(path, query), {});

function withQuery(path, query) {
  const search = new URLSearchParams(Object.entries(query).filter(([, v]) => v !== "" && v !== undefined));
  return search.size > 0 ? `${path}?${search}` : path;
}

export const post = (path, body) => ask(path, { method: "POST", body: JSON.stringify(body) });
export const put = (path, body) => ask(path, { method: "PUT", body: JSON.stringify(body) });
export const remove = (path) => ask(path, { method: "DELETE" });

// upload sends a file as it is.
export function upload(path, file, query = {}) {
  return ask(withQuery(path, query), { method: "POST", body: file, type: "application/octet-stream" });
}

// open begins an answer that doesn't end by itself.
export const open = (path, signal) => send(path, { signal });

async function ask(path, options) {
  const response = await send(path, options);
  const body = await response.json().catch(() => null);
  if (response.ok && body) return body;
  throw failure(response, body?.error ?? body);
}

// OUT are the codes that tell somebody at a desk that they are signed in no longer.
const OUT = ["no_token", "token_expired"];

// download gets a file: its bytes and its name.
export async function download(path, query) {
  const response = await send(withQuery(path, query), {});
  if (!response.ok) throw failure(response, await response.json().catch(() => null));
  const said = response.headers.get("Content-Disposition") ?? "";
  const whole = /filename\*=UTF-8''([^;]+)/i.exec(said)?.[1];
  return { blob: await response.blob(), name: whole ? decodeURIComponent(whole) : /filename="?([^";]+)"?/.exec(said)?.[1] };
}

// PASSING are the statuses of what passes by itself: nobody answered (0), too much is asked,
// or what stands behind the server or before it is away.
const PASSING = [0, 429, 502, 503, 504];

// passes says whether asking again may do, and patience how long to rest before, in
// milliseconds: as long as the server says, and not all at the same moment.
export const passes = (error) => PASSING.includes(error.status);
export const patience = (error) => (Math.max(error.wait, 3) + 2 * Math.random()) * 1000;

// send adds who asks: a token, or the header that shows the server that its own page
// sends the cookie and no other site.
async function send(path, { type = "application/json", ...options }) {
  const headers = { "X-Gridsync-Page": "1" };
  if (state.token) headers.Authorization = `Bearer ${state.token}`;
  if (options.body) headers["Content-Type"] = type;
  try {
    const response = await fetch(path, { ...options, headers });
    // The header lags by up to two seconds: what the server ended meanwhile is over.
    state.now = Date.parse(response.headers.get("Date")) + 2000 || Date.now();
    return response;
  } catch {
    throw Object.assign(new Error(t("offline")), { status: 0, wait: 0 });
  }
}

// failure is what went wrong, in words for a desk: the server's own speak of phones where it
// is busy or doesn't let somebody in.
function failure(response, error) {
  const wait = Number(response.headers.get("Retry-After") ?? 0);
  const out = !state.token && OUT.includes(error?.code);
  const words = (out && t("signedOut")) || (error?.code === "busy" && t("busy")) || why(error, error?.field) || String(response.status);
  if (out && state.me) page.askIn(words);
  return Object.assign(new Error(words), { status: response.status, code: error?.code, wait });
}

// why says what an error of the API says, to a person: of a record's field, or of a field of
// what was asked.
export function why(error, field = `f.${error?.field}`) {
  if (!error) return "";
  return [error.message ? both(error.message) : error.code, has(field) ? t(field) : error.field, error.reference].filter(Boolean).join(" · ");
}
