// How the work is done here: settings, forms, and which other systems are told.

import { picker } from "./draw.js";
import { forms } from "./forms.js";
import { hooks } from "./hooks.js";
import { t } from "./say.js";
import { settings } from "./settings.js";
import { go, may, state } from "./state.js";

export async function setup() {
  const views = { settings, forms, ...(state.me && may("configure") ? { hooks } : {}) };
  const view = state.view in views ? state.view : "settings";
  return [picker(t("tab.Setup"), Object.keys(views).map((name) => [`setup-${name}`, t(`setup.${name}`), name === view, () => go({ view: name })])), ...(await views[view]())];
}
