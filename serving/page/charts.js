/** Small charts; they repeat what stands beside them in words or tables, so screen readers pass them by. */

import { shape } from "./dom.js";
import { TIERS } from "./words.js";

const [SHARES, GAP, VOLUME, LABELS] = [132, 10, 30, 20]; // heights, in pixels
const STACK = [...TIERS, "named"];

/**
 * A horizontal bar, `fraction` of its width filled; `mark` draws a line at another fraction, and up to `deep`
 * the filling is darker.
 */
export function bar(fraction, kind, mark = null, deep = null) {
  const part = (share) => `${(100 * Math.min(1, Math.max(0, share))).toFixed(2)}%`;
  const line =
    mark === null
      ? null
      : shape("rect", { class: "mark", x: part(mark - 0.004), y: -3, width: 2, height: 16 });
  const dark =
    deep === null ? null : shape("rect", { class: `fill ${kind}`, width: part(deep), height: 10, rx: 3 });
  return shape(
    "svg",
    { class: "bar", "aria-hidden": true, focusable: false, height: 10, width: "100%" },
    shape("rect", { class: "track", width: "100%", height: 10, rx: 3 }),
    shape("rect", {
      class: `fill ${kind}${deep === null ? "" : " pale"}`,
      width: part(fraction),
      height: 10,
      rx: 3,
    }),
    dark,
    line,
  );
}

/** The tiers' shares hour by hour, and below them how many requests each hour had. */
export function hourChart(hours, hoursOfDay) {
  const most = Math.max(1, ...hours.map((hour) => sum(hour)));
  const step = 100 / hoursOfDay;
  return shape(
    "svg",
    {
      class: "hours",
      "aria-hidden": true,
      focusable: false,
      width: "100%",
      height: SHARES + GAP + VOLUME + LABELS,
    },
    shape("rect", { class: "ground", width: "100%", height: SHARES, rx: 4 }),
    ...hours.flatMap((hour, place) => column(hour, place * step, step, most)),
    ...[0, 6, 12, 18].map((place) =>
      label(hours[place]?.label ?? `${place}:00`.padStart(5, "0"), place * step),
    ),
    shape("line", { class: "axis", x1: 0, x2: "100%", y1: SHARES + GAP + VOLUME, y2: SHARES + GAP + VOLUME }),
  );
}

function column(hour, at, step, most) {
  const total = sum(hour);
  if (total === 0) return [];
  const place = { x: `${(at + 0.1 * step).toFixed(3)}%`, width: `${(0.8 * step).toFixed(3)}%` };
  const parts = [];
  let top = SHARES;
  for (const tier of STACK) {
    const height = (SHARES * hour.requests[tier]) / total;
    top -= height;
    if (height > 0)
      parts.push(
        shape("rect", { ...place, y: top + 0.5, height: Math.max(0.5, height - 1), class: `fill ${tier}` }),
      );
  }
  const volume = Math.max(2, (VOLUME * total) / most);
  parts.push(shape("rect", { ...place, y: SHARES + GAP + VOLUME - volume, height: volume, class: "volume" }));
  return parts;
}

function label(words, at) {
  return shape("text", { x: `${at}%`, y: SHARES + GAP + VOLUME + 15 }, words);
}

function sum(hour) {
  return STACK.reduce((total, tier) => total + hour.requests[tier], 0);
}
