/** How models and tiers fare: latency, alarms, circuit breakers. */

import { badge } from "./badge.js";
import { bar } from "./charts.js";
import { element } from "./dom.js";
import { clock, count, counted, duration, percent, span, tierName } from "./words.js";

// --------------------------------------------------------------------------------------------------- latency

/** Each tier's latencies against its objective. */
export function latency(today) {
  const measured = today?.tiers.filter((each) => each.latency_seconds) ?? [];
  if (!measured.length) return element("p", { class: "quiet" }, "No answers of models to measure yet today.");
  const most = Math.max(
    ...measured.flatMap((each) => [each.latency_seconds.first_token?.p95 ?? 0, each.objective_seconds ?? 0]),
  );
  const head = element(
    "tr",
    {},
    ...["Tier", "Half within", "95 % within", "Objective for 95 %"].map((words, place) =>
      element("th", { scope: "col", class: place ? "number" : null }, words),
    ),
  );
  const note =
    "First token and whole answer, from the request's arrival, failed attempts included; of the latest answers.";
  return [
    element(
      "table",
      {},
      element("thead", {}, head),
      element("tbody", {}, ...measured.flatMap((each) => latencyRows(each, most))),
    ),
    element("p", { class: "quiet" }, note),
  ];
}

function latencyRows(
  { tier, latency_seconds: { first_token: first, total }, objective_seconds: objective },
  most,
) {
  return [
    first &&
      element(
        "tr",
        {},
        element("th", { scope: "row" }, badge(tier), element("span", { class: "sub" }, "first token")),
        element("td", { class: "number" }, duration(first.p50)),
        element("td", { class: "number" }, duration(first.p95)),
        element("td", { class: "number" }, ...objectiveCell(first.p95, objective)),
      ),
    first &&
      element(
        "tr",
        { class: "second", "aria-hidden": true },
        element("td", { colspan: 4 }, spread(tier, first, objective, most)),
      ),
    total &&
      element(
        "tr",
        { class: "second" },
        element(
          "th",
          { scope: "row" },
          element("span", { class: "hidden" }, tierName(tier)),
          element("span", { class: "sub" }, "whole answer"),
        ),
        element("td", { class: "number" }, duration(total.p50)),
        element("td", { class: "number" }, duration(total.p95)),
        element("td", { class: "number quiet" }, counted(total.count, "answer")),
      ),
  ];
}

/** From nothing to the 95 %, the half marked by its depth, the objective by a line. */
function spread(tier, first, objective, most) {
  const kind = objective === null ? tier : first.p95 <= objective ? "good" : "bad";
  return bar(first.p95 / most, kind, objective === null ? null : objective / most, first.p50 / most);
}

function objectiveCell(p95, objective) {
  if (objective === null || objective === undefined) return ["none set"];
  const kept = p95 <= objective;
  const words = kept ? "kept" : "missed";
  return [duration(objective), element("span", { class: `sub ${kept ? "good" : "bad"}` }, words)];
}

// --------------------------------------------------------------------------------------- alarms and circuits

/** The alarms that stand. */
export function alarms(all, zone) {
  if (!all.length) return element("p", { class: "quiet" }, "None stands.");
  const items = all.map(({ name, words, since, count: times }) =>
    element(
      "li",
      {},
      element("strong", {}, name),
      ` since ${clock(since, zone)}${times > 1 ? `, seen ${count(times)} times` : ""}`,
      element("p", {}, words),
    ),
  );
  return element("ul", { class: "alarms" }, ...items);
}

/** A circuit without what changes with every look; the seconds to the next try in steps of five. */
export function steady(circuit) {
  return { ...circuit, retry_in_seconds: 5 * Math.ceil(circuit.retry_in_seconds / 5) };
}

/** Every model's circuit breaker, and why it is as it is. */
export function circuits(all) {
  const known = all.map(steady);
  if (!known.length) return element("p", { class: "quiet" }, "No model was asked yet.");
  return element("ul", { class: "circuits" }, ...known.map(circuit));
}

const STATES = {
  closed: "closed: it is asked",
  open: "open: it is left alone",
  half_open: "half open: it is being tried",
};

function circuit({
  model,
  channel,
  tiers,
  state,
  why,
  calls,
  error_rate: errors,
  p95_seconds: p95,
  retry_in_seconds: wait,
}) {
  const kind = state === "closed" ? (why ? "warn" : "good") : state === "open" ? "bad" : "warn";
  const facts = [calls ? `${counted(calls, "recent call")}, ${percent(errors)} failed` : "no recent calls"];
  if (p95 !== null) facts.push(`95 % had a first token within ${duration(p95)}`);
  if (wait > 0 && !why) facts.push(`asked again in about ${span(wait)}`);
  const of = tiers.length ? `, first of ${tiers.join(" and ")}` : "";
  return element(
    "li",
    {},
    element(
      "span",
      { class: `state ${kind}` },
      state === "closed" && why ? "closed, waiting" : STATES[state],
    ),
    element("span", { class: "model" }, model),
    element("span", { class: "sub" }, `${channel} channel${of}; ${facts.join("; ")}`),
    why && element("span", { class: "sub" }, why),
  );
}
