/** Shows what `/v1/overview` tells, section by section. */

import { badge } from "./badge.js";
import { bar, hourChart } from "./charts.js";
import { byId, element, show, tell } from "./dom.js";
import { alarms, circuits, latency, steady } from "./health.js";
import { TIERS, amount, clock, compared, count, counted, duration, percent, usd } from "./words.js";

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

function absent(told) {
  const words =
    told?.ledger === "unavailable" ? "The database does not answer: no figures." : "Being added up …";
  return element("p", { class: "quiet" }, words);
}

// -------------------------------------------------------------------------------------------------- spending

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
  if (!today)
    return ledger === "unavailable" ? "The database does not answer: nobody can say." : "Being added up …";
  if (today.requests === 0)
    return `No requests yet today. Point a client at ${new URL("v1", document.baseURI)}, with the model “auto”.`;
  const unknown = today.unknown_cost_attempts;
  const unsure = unknown ? `; ${counted(unknown, "attempt")} of unknown cost not in it` : "";
  return `for ${counted(today.requests, "request")}, ${count(today.answered)} answered${unsure}`;
}

function savings({ saved_usd: saved }) {
  const over = (tier) => {
    const saving = saved[tier];
    if (Math.abs(saving) < 1e-9) return `cost the same as always ${tier}`;
    return saving > 0
      ? `saved ${usd(saving)} over always ${tier}`
      : `cost ${usd(-saving)} more than always ${tier}`;
  };
  return `Routing ${over("premium")}, and ${over("balanced")}.`;
}

function comparison({ routed_usd: routed, always_usd: always }) {
  const most = Math.max(routed, ...Object.values(always));
  const rows = [...TIERS]
    .reverse()
    .map((tier) =>
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
  if (all === null)
    return element(
      "li",
      { class: "quiet" },
      "The database does not answer: nobody can say how the budgets stand.",
    );
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

// ------------------------------------------------------------------------------------------- tiers and hours

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
  return element(
    "p",
    { class: "quiet" },
    `Above, each hour's shares; below, how many requests it had (${zone}).`,
  );
}

function hourRow({ label, requests }) {
  const total = Object.values(requests).reduce((sum, number) => sum + number, 0);
  const cells = [...TIERS, "named"].map((tier) =>
    element(
      "td",
      { class: "number" },
      count(requests[tier]),
      element("span", { class: "sub" }, percent(requests[tier] / total)),
    ),
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
      element(
        "span",
        { class: "sub" },
        share === null ? "no requests" : `${counted(requests, "request")}, ${percent(share)}`,
      ),
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
  const price = Object.fromEntries(
    today.tiers.map((each) => [each.tier, each.usd_per_million_tokens?.output]),
  );
  const { cheap, balanced, premium } = price;
  if (![cheap, balanced, premium].every((each) => each > 0))
    return "At the same tokens, at the configured prices.";
  return (
    `At the same tokens. By the price of a token, cheap costs ${compared(cheap, balanced)} than balanced` +
    `, and premium ${compared(premium, balanced)}.`
  ).replace(/(times as much|the same) than/g, "$1 as");
}

// ----------------------------------------------------------------------------------------------------- cache

function cache(today) {
  if (!today) return element("p", { class: "quiet" }, "Being added up …");
  const { hits, semantic_hits: semantic, hit_rate: rate, saved_usd: saving } = today.cache;
  if (!hits) return element("p", { class: "quiet" }, "No request was answered by a cache today.");
  const alike = semantic ? `, ${count(semantic)} of them by a question that means the same` : "";
  return [
    element("p", { class: "hero small" }, usd(saving)),
    element(
      "p",
      { class: "quiet" },
      `saved today by ${counted(hits, "stored answer")}, ${percent(rate)} of the requests${alike}`,
    ),
  ];
}

// ------------------------------------------------------------------------------------------------- decisions

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
    element(
      "span",
      { class: "why" },
      element("span", { class: "by" }, CHOSEN_BY[by] ?? by),
      why && `: ${why}`,
    ),
  );
}

function facts({ tier, risk, seconds, cost, hit, outcome }) {
  const said = [];
  if (outcome !== "answered") said.push(element("strong", { class: "bad" }, outcome));
  if (hit) said.push(element("span", {}, `${hit} cache`));
  if (risk !== null && tier !== "premium") said.push(element("span", {}, `risk ${percent(risk)}`));
  said.push(
    element("span", {}, duration(seconds)),
    element("span", {}, cost === null ? "cost unknown" : usd(cost)),
  );
  return said;
}
