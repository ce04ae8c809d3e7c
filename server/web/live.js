// What goes on while one looks: the server tells at once that something came in.

import { open } from "./api.js";

let listening;

// follow hears of an area until another is followed, or none. heard is called with the name
// of what happened and what was said of it.
export function follow(area, heard) {
  if (listening?.area === area) return;
  listening?.stop.abort();
  listening = area ? { area, stop: new AbortController() } : undefined;
  if (listening) listen(listening, heard);
}

// listen asks again when the line breaks, and rests longer each time that there is none. What
// went on meanwhile was missed.
async function listen(one, heard) {
  let missed = false;
  for (let rest = 1000; !one.stop.signal.aborted; rest = Math.min(2 * rest, 60_000)) {
    try {
      const response = await open(`/v1/areas/${one.area}/live`, one.stop.signal);
      if ([401, 403, 404].includes(response.status)) return;
      if (response.ok) {
        rest = 500;
        if (missed) heard("changed", {});
        missed = true;
        await read(response.body, (name, data) => !one.stop.signal.aborted && heard(name, data));
      }
    } catch {
      if (one.stop.signal.aborted) return;
    }
    await new Promise((later) => { setTimeout(later, rest); });
  }
}

// read cuts what arrives into events: lines of "event:" and "data:", ended by an empty one.
async function read(body, heard) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const parts = (rest + value).replaceAll("\r\n", "\n").split("\n\n");
    rest = parts.pop();
    for (const part of parts) {
      const lines = part.split("\n").map((line) => /^(event|data): ?(.*)$/.exec(line)).filter(Boolean);
      const name = lines.find((m) => m[1] === "event")?.[2];
      const data = lines.filter((m) => m[1] === "data").map((m) => m[2]).join("\n");
      if (name) heard(name, data ? JSON.parse(data) : {});
    }
  }
}
