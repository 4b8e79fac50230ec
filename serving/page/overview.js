/** Shows what `/v1/overview` tells, section by section. */

import { bar, hourChart } from "./charts.js";
import { byId, element, show, tell } from "./dom.js";
import {
  TIERS,
  amount,
  clock,
  compared,
  count,
  counted,
  duration,
  percent,
  span,
  tierName,
  usd,
} from "./words.js";

const NEWEST = 12; // decisions that are shown at once

/** Show all of it. */
export function showOverview(told) {
  const { today, status, time_zone: zone } = told;
  showSpend(told);
  show(byId("budgets"), status.budgets, () => budgets(status.budgets));
  showHours(told);
  showTiers(today);
  show(byId("latency"), [today?.tiers, told.ledger], () => latency(today));
  show(byId("alarms"), status.alarms, () => alarms(status.alarms, zone));
  show(byId("circuits"), status.circuits.map(steady), () => circuits(status.circuits));
  show(byId("cache"), [today?.cache, told.ledger], () => cache(today));
  const [newest, older] = [told.decisions.slice(0, NEWEST), told.decisions.slice(NEWEST)];
  show(byId("decisions"), newest, () => decisions(newest, zone));
  show(byId("older-decisions"), older, () => decisions(older, zone));
  byId("older").hidden = older.length === 0;
}

/** A tier's name with its mark; the mark is decoration. */
export function badge(tier) {
  const kind = TIERS.includes(tier) ? tier : "named";
  return element("span", { class: `badge ${kind}` }, tierName(kind));
}

function absent(told) {
  const words = told?.ledger === "unavailable" ? "The database does not answer: no figures." : "Being added up …";
  return element("p", { class: "quiet" }, words);
}

// --------------------------------------------------------------------------------------------------- spending

function showSpend(told) {
  const { today } = told;
  tell(byId("spent"), today ? usd(today.usd) : "–");
  tell(byId("spent-note"), spentNote(told));
  tell(byId("saved"), today?.routed_usd > 0 ? savings(today) : "");
  const table = byId("compare");
  table.hidden = !(today?.routed_usd > 0);
  if (!table.hidden) {
    const data = [today.routed_usd, today.always_usd];
    show(table.tBodies[0], data, () => comparison(today));
  }
}

function spentNote({ today, ledger }) {
  if (!today) return ledger === "unavailable" ? "The database does not answer: nobody can say." : "Being added up …";
  if (today.requests === 0) return `No requests yet today. Point a client at ${new URL("v1", document.baseURI)}, with the model “auto”.`;
  const unknown = today.unknown_cost_attempts;
  const unsure = unknown ? `; ${counted(unknown, "attempt")} of unknown cost not in it` : "";
  return `for ${counted(today.requests, "request")}, ${count(today.answered)} answered${unsure}`;
}

function savings({ saved_usd: saved }) {
  const over = (tier) => {
    const amount = saved[tier];
    if (Math.abs(amount) < 1e-9) return `cost the same as always ${tier}`;
    return amount > 0 ? `saved ${usd(amount)} over always ${tier}` : `cost ${usd(-amount)} more than always ${tier}`;
  };
  return `Routing ${over("premium")}, and ${over("balanced")}.`;
}

function comparison({ routed_usd: routed, always_usd: always }) {
  const most = Math.max(routed, ...Object.values(always));
  const rows = [...TIERS].reverse().map((tier) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, badge(tier)),
      element("td", { class: "bar" }, bar(always[tier] / most, tier)),
      element("td", { class: "number" }, usd(always[tier])),
      element("td", { class: "number" }, compared(routed, always[tier])),
    ),
  );
  const own = element(
    "tr",
    { class: "own" },
    element("th", { scope: "row" }, "As routed"),
    element("td", { class: "bar" }, bar(routed / most, "routed")),
    element("td", { class: "number" }, usd(routed)),
    element("td", { class: "number" }),
  );
  return [own, ...rows];
}

function budgets(all) {
  if (all === null) return element("li", { class: "quiet" }, "The database does not answer: nobody can say how the budgets stand.");
  return all.map((each) => element("li", {}, ...budget(each)));
}

function budget({ scope, unit, cap, spent, reserved, left }) {
  const used = cap > 0 ? (spent + reserved) / cap : 1;
  const held = reserved > 0 ? `, ${amount(reserved, unit)} held by calls under way` : "";
  return [
    element("span", { class: "budget-name" }, scopeName(scope)),
    element("span", {}, `${amount(spent, unit)} of ${amount(cap, unit)} today`),
    bar(used, used >= 0.999 ? "bad" : used >= 0.8 ? "warn" : "good"),
    element("span", { class: "quiet" }, left > 0 ? `${amount(left, unit)} left${held}` : `used up${held}`),
  ];
}

function scopeName(scope) {
  if (scope === "premium") return "Premium budget";
  if (scope.startsWith("key:")) return "This key's budget";
  return `${scope.replaceAll(/[_:]/g, " ")} budget`;
}

// --------------------------------------------------------------------------------------------- tiers and hours

function showHours(told) {
  const { today, time_zone: zone } = told;
  const details = byId("hours-figures");
  const has = Boolean(today?.requests);
  details.hidden = !has;
  show(byId("hours"), [today?.hours, zone, told.ledger], () => {
    if (!today) return absent(told);
    if (!has) return element("p", { class: "quiet" }, "No requests yet today.");
    return [legend(today), hourChart(today.hours, Math.max(24, today.hours.length)), caption(zone)];
  });
  if (has) show(details.querySelector("tbody"), today.hours, () => today.hours.filter(busy).map(hourRow));
}

function busy({ requests }) {
  return Object.values(requests).some((number) => number > 0);
}

function legend({ tiers }) {
  const seen = tiers.filter(({ tier, requests }) => tier !== "named" || requests > 0);
  const items = seen.map(({ tier, share }) => element("li", {}, badge(tier), ` ${percent(share)}`));
  return element("ul", { class: "legend", "aria-label": "Shares of today" }, ...items);
}

function caption(zone) {
  return element("p", { class: "quiet" }, `Above, each hour's shares; below, how many requests it had (${zone}).`);
}

function hourRow({ label, requests }) {
  const total = Object.values(requests).reduce((sum, number) => sum + number, 0);
  const cells = [...TIERS, "named"].map((tier) =>
    element("td", { class: "number" }, count(requests[tier]), element("span", { class: "sub" }, percent(requests[tier] / total))),
  );
  return element("tr", {}, element("th", { scope: "row" }, label), ...cells);
}

function showTiers(today) {
  const own = today?.tiers.filter(({ tier, requests }) => tier !== "named" || requests > 0) ?? [];
  show(byId("tiers").tBodies[0], own, () => own.map(tierRow));
  tell(byId("tiers-note"), perToken(today));
}

function tierRow(told) {
  const { tier, model, requests, share, usd: spent } = told;
  return element(
    "tr",
    {},
    element(
      "th",
      { scope: "row" },
      badge(tier),
      model && element("span", { class: "model" }, model),
      element("span", { class: "sub" }, share === null ? "no requests" : `${counted(requests, "request")}, ${percent(share)}`),
    ),
    element("td", { class: "number" }, usd(spent)),
    element("td", { class: "number" }, ...saved(told)),
  );
}

function saved({ tier, known_usd: cost, balanced_usd: balanced, saved_over_balanced_usd: saving }) {
  if (tier === "balanced") return ["the measure"];
  if (saving === null || !(balanced > 0)) return ["–"];
  const words = saving >= 0 ? `${usd(saving)} saved` : `${usd(-saving)} more`;
  return [words, element("span", { class: "sub" }, compared(cost, balanced))];
}

function perToken(today) {
  if (!today) return "";
  const price = Object.fromEntries(today.tiers.map((each) => [each.tier, each.usd_per_million_tokens?.output]));
  const { cheap, balanced, premium } = price;
  if (![cheap, balanced, premium].every((each) => each > 0)) return "At the same tokens, at the configured prices.";
  return (
    `At the same tokens. By the price of a token, cheap costs ${compared(cheap, balanced)} than balanced` +
    `, and premium ${compared(premium, balanced)}.`
  ).replace(/(times as much|the same) than/g, "$1 as");
}

// ---------------------------------------------------------------------------------------------------- latency

function latency(today) {
  const measured = today?.tiers.filter((each) => each.latency_seconds) ?? [];
  if (!measured.length) return element("p", { class: "quiet" }, "No answers of models to measure yet today.");
  const most = Math.max(...measured.flatMap((each) => [each.latency_seconds.first_token?.p95 ?? 0, each.objective_seconds ?? 0]));
  const head = element(
    "tr",
    {},
    ...["Tier", "Half within", "95 % within", "Objective for 95 %"].map((words, place) =>
      element("th", { scope: "col", class: place ? "number" : null }, words),
    ),
  );
  const note = "First token, and the whole answer, from the request's arrival; failed attempts included; the latest answers.";
  return [
    element("table", {}, element("thead", {}, head), element("tbody", {}, ...measured.flatMap((each) => latencyRows(each, most)))),
    element("p", { class: "quiet" }, note),
  ];
}

function latencyRows({ tier, latency_seconds: { first_token: first, total }, objective_seconds: objective }, most) {
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
    first && element("tr", { class: "second", "aria-hidden": true }, element("td", { colspan: 4 }, spread(tier, first, objective, most))),
    total &&
      element(
        "tr",
        { class: "second" },
        element("th", { scope: "row" }, element("span", { class: "hidden" }, tierName(tier)), element("span", { class: "sub" }, "whole answer")),
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

// ----------------------------------------------------------------------------------------- alarms and circuits

function alarms(all, zone) {
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
function steady(circuit) {
  return { ...circuit, retry_in_seconds: 5 * Math.ceil(circuit.retry_in_seconds / 5) };
}

function circuits(all) {
  const known = all.map(steady);
  if (!known.length) return element("p", { class: "quiet" }, "No model was asked yet.");
  return element("ul", { class: "circuits" }, ...known.map(circuit));
}

const STATES = { closed: "closed: it is asked", open: "open: it is left alone", half_open: "half open: it is being tried" };

function circuit({ model, channel, tiers, state, why, calls, error_rate: errors, p95_seconds: p95, retry_in_seconds: wait }) {
  const kind = state === "closed" ? (why ? "warn" : "good") : state === "open" ? "bad" : "warn";
  const facts = [calls ? `${counted(calls, "recent call")}, ${percent(errors)} failed` : "no recent calls"];
  if (p95 !== null) facts.push(`95 % had a first token within ${duration(p95)}`);
  if (wait > 0 && !why) facts.push(`asked again in about ${span(wait)}`);
  const of = tiers.length ? `, first of ${tiers.join(" and ")}` : "";
  return element(
    "li",
    {},
    element("span", { class: `state ${kind}` }, state === "closed" && why ? "closed, waiting" : STATES[state]),
    element("span", { class: "model" }, model),
    element("span", { class: "sub" }, `${channel} channel${of}; ${facts.join("; ")}`),
    why && element("span", { class: "sub" }, why),
  );
}

// ------------------------------------------------------------------------------------------------------- cache

function cache(today) {
  if (!today) return element("p", { class: "quiet" }, "Being added up …");
  const { hits, semantic_hits: semantic, hit_rate: rate, saved_usd: saving } = today.cache;
  if (!hits) return element("p", { class: "quiet" }, "No request was answered by a cache today.");
  const alike = semantic ? `, ${count(semantic)} of them by a question that means the same` : "";
  return [
    element("p", { class: "hero small" }, usd(saving)),
    element("p", { class: "quiet" }, `saved today by ${counted(hits, "stored answer")}, ${percent(rate)} of the requests${alike}`),
  ];
}

// --------------------------------------------------------------------------------------------------- decisions

const CHOSEN_BY = {
  policy: "chosen by the policy",
  caller: "asked for by the caller",
  floor: "raised or bounded by the key",
  budget: "lowered by a budget",
  session: "held by the conversation",
  "classifier failed": "balanced, for the classifier failed",
};

function decisions(all, zone) {
  if (!all.length) return element("p", { class: "quiet" }, "None yet since the proxy started.");
  return element("ol", { class: "decisions" }, ...all.map((each) => decision(each, zone)));
}

function decision(told, zone) {
  const { at, tier, model, risk, chosen_by: by, reasons, outcome, cache: hit, seconds, usd: cost } = told;
  const why = reasons === null ? "reasons are shown to the key that asked" : reasons.join("; ");
  return element(
    "li",
    {},
    element("time", { datetime: new Date(1000 * at).toISOString() }, clock(at, zone)),
    badge(tier ?? "named"),
    element("span", { class: "model" }, model),
    element("span", { class: "facts" }, ...facts({ tier, risk, seconds, cost, hit, outcome })),
    element("span", { class: "why" }, element("span", { class: "by" }, CHOSEN_BY[by] ?? by), why && `: ${why}`),
  );
}

function facts({ tier, risk, seconds, cost, hit, outcome }) {
  const said = [];
  if (outcome !== "answered") said.push(element("strong", { class: "bad" }, outcome));
  if (hit) said.push(element("span", {}, `${hit} cache`));
  if (risk !== null && tier !== "premium") said.push(element("span", {}, `risk ${percent(risk)}`));
  said.push(element("span", {}, duration(seconds)), element("span", {}, cost === null ? "cost unknown" : usd(cost)));
  return said;
}
