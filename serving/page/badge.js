/** A tier, as it is shown everywhere. */

import { element } from "./dom.js";
import { TIERS, tierName } from "./words.js";

/** A tier's name with its mark; the mark is decoration. */
export function badge(tier) {
  const kind = TIERS.includes(tier) ? tier : "named";
  return element("span", { class: `badge ${kind}` }, tierName(kind));
}
