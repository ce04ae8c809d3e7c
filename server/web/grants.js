// What the reader may give whom: the roles and the areas to choose from.

import { dayOf, t } from "./say.js";
import { state, within } from "./state.js";

// rolesToGive are the roles that the reader may grant in an area.
const rolesToGive = (area) =>
  [...new Set(state.me.grants.filter((g) => within(area, g.area)).flatMap((g) => g.gives ?? []))];

export const roleChoices = () => rolesToGive(state.area).map((r) => [r, t(`role.${r}`)]);

// mine says whether the reader could give a grant, and so may end it.
export const mine = (g) => rolesToGive(g.area).includes(g.role);

// areasHere are the areas that can be chosen: this one and those below it.
export const areasHere = () => state.areas.filter((a) => within(a.id, state.area)).map((a) => [a.id, `${a.name} ${a.id}`]);

// areaChoices asks for an area where there are several: nobody is let into all of them because
// nothing was chosen.
export const areaChoices = () => (areasHere().length > 1 ? [["", t("chooseArea")], ...areasHere()] : areasHere());

// span is from when till when a grant holds; what has begun has no beginning here.
export const span = (g) => [g.from > state.now ? `${t("fromDay")} ${dayOf(g.from)}` : "", g.to ? `${t("until")} ${dayOf(g.to - 1)}` : t("openEnd")]
  .filter(Boolean).join(" ");
