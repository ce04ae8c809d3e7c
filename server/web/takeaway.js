// Taking lists away as files, each copy marked with who took it and when.

import { download } from "./api.js";
import { choice, deed, el } from "./draw.js";
import { say, t } from "./say.js";
import { may, state } from "./state.js";

// takeAway offers a list as a file, to those who may have it. asked gives what the list is
// of, besides its area.
export function takeAway(report, words, asked = () => ({})) {
  if (!state.me || !may("export")) return null;
  const format = choice({ id: `format-${report}`, "aria-label": t("format") }, [["xlsx", "Excel"], ["csv", "CSV"]]);
  return el("span", { class: "act" }, format, deed(words, async () => {
    say(t("loading"));
    const { blob, name } = await download(`/v1/areas/${state.area}/reports/${report}`, { ...asked(), format: format.value, lang: state.english ? "en" : "zh" });
    const address = URL.createObjectURL(blob);
    el("a", { href: address, download: name ?? `${state.area}-${report}.${format.value}` }).click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
    say(t("exported"));
  }));
}
