/** The box to try a prompt in: the proxy's own model, run in the page by `tierwise.js`. Nothing is sent. */

import { badge } from "./badge.js";
import { ask } from "./client.js";
import { bar } from "./charts.js";
import { byId, element, show, tell } from "./dom.js";
import { TierPredictor } from "./tierwise.js";
import { TIERS, percent, tierName } from "./words.js";

const SHOWN = 6; // features each way
const RETRY = 30_000; // milliseconds until a model that could not be had is asked for again
const TYPING = 120; // milliseconds without a key, before it is worked out
const BASE = "what prompts need on average";
const CAVEAT = "Budgets, keys and conversations can still change what it says.";
const EXAMPLES = [
  "What is the capital of France?",
  "Write a Python function that merges two sorted lists, with tests.",
  "Prove that every finite division ring is commutative.",
];

let predictor = null;
let version = null;
let timer = null;
let notBefore = 0; // when the model may be asked for again
let turns = 0; // a model that arrives after its key was forgotten is not used

/** Make the box ready; it works once `loadModel` has succeeded. */
export function prepareBox() {
  byId("prompt").addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(judge, TYPING);
  });
  byId("examples").append(...EXAMPLES.map(example));
}

/**
 * Fetch the model that decides now, unless it is at hand or was just asked for; tell where it cannot be had.
 *
 * @param {string | null} wanted its version; null where no model file decides
 */
export async function loadModel(wanted) {
  if (wanted === null) return use(null, "no model file decides here now");
  if (wanted === version || Date.now() < notBefore) return;
  notBefore = Date.now() + RETRY;
  const turn = ++turns;
  try {
    const response = await ask("v1/model");
    const loaded = await TierPredictor.load(await response.arrayBuffer());
    if (turn === turns) use(loaded, "", wanted);
  } catch (error) {
    if (turn === turns) use(null, error.message);
  }
}

/** Forget model and prompt, when the key is forgotten. */
export function emptyBox() {
  turns++;
  notBefore = 0;
  byId("prompt").value = "";
  use(null, "a key is needed");
}

function use(loaded, problem, wanted = null) {
  predictor = loaded;
  version = wanted;
  if (loaded) notBefore = 0;
  const hint = loaded
    ? `Nothing is sent: model ${loaded.version} runs in this page. ${CAVEAT}`
    : `The model cannot be had, so nothing can be tried here: ${problem}.`;
  tell(byId("try-hint"), hint);
  byId("prompt").disabled = loaded === null;
  for (const button of byId("examples").children) button.disabled = loaded === null;
  judge();
}

function example(words) {
  const button = element("button", { type: "button", class: "plain", disabled: true }, words);
  button.addEventListener("click", () => {
    byId("prompt").value = words;
    judge();
  });
  return button;
}

function judge() {
  clearTimeout(timer);
  const prompt = byId("prompt").value;
  if (predictor === null || prompt.trim() === "") {
    tell(byId("verdict"), "");
    show(byId("why"), null, () => []);
    return;
  }
  const told = predictor.explain(prompt);
  tell(byId("verdict"), `${tierName(told.tier)}: ${riskOf(told)}`);
  show(byId("why"), told, () => explained(told));
}

function riskOf({ tier, risk }) {
  if (tier === "premium") return "the most capable tier.";
  return `a risk of ${percent(risk)} that more is needed.`;
}

function explained(told) {
  const { probabilities, contributions, tier, against, comparison } = told;
  const most = Math.max(...contributions.map(({ value }) => Math.abs(value)), 0.001);
  const pull = (sign) => contributions.filter(({ value }) => sign * value > 0.005).slice(0, SHOWN);
  return [
    element(
      "table",
      { class: "odds" },
      element("caption", {}, "How likely each tier is the one that is needed"),
      element("tbody", {}, ...TIERS.map((each) => odds(each, probabilities[each]))),
    ),
    element("p", { class: "quiet" }, `The policy compares: ${comparison}.`),
    element(
      "div",
      { class: "pulls" },
      pulls(`Pulls towards ${tier}`, pull(1), most, tier),
      pulls(`Pulls towards ${against}`, pull(-1), most, against),
    ),
  ];
}

function odds(tier, probability) {
  return element(
    "tr",
    {},
    element("th", { scope: "row" }, badge(tier)),
    element("td", { class: "bar" }, bar(probability, tier)),
    element("td", { class: "number" }, percent(probability)),
  );
}

function pulls(heading, found, most, tier) {
  const items = found.map(({ name, value }) =>
    element(
      "li",
      {},
      element("span", { class: name === BASE ? "quiet" : null }, name),
      element("span", { class: "number" }, Math.abs(value).toFixed(2)),
      bar(Math.abs(value) / most, tier),
    ),
  );
  const list = items.length ? element("ul", {}, ...items) : element("p", { class: "quiet" }, "Nothing.");
  return element("section", {}, element("h3", {}, heading), list);
}
