/** The page: asks every few seconds while somebody looks, and for a key where the proxy wants one. */

import { emptyBox, loadModel, prepareBox } from "./box.js";
import { Refusal, ask, key } from "./client.js";
import { byId, tell } from "./dom.js";
import { showOverview } from "./overview.js";
import { clock, counted, span } from "./words.js";

const EVERY = 5_000;

let last = null; // what was told, and when it arrived by this browser's clock
let timer = null;
let asking = false;

prepareBox();
byId("key-form").addEventListener("submit", submitted);
byId("forget").addEventListener("click", forget);
document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : refresh()));
setInterval(tellAge, 1_000);
refresh();

async function refresh() {
  clearTimeout(timer);
  if (asking || document.hidden) return;
  asking = true;
  const secret = key.value;
  let wait = EVERY;
  try {
    const response = await ask("v1/overview");
    const told = await response.json();
    if (key.value === secret) shown(told);
  } catch (error) {
    wait = Math.max(EVERY, 1_000 * (error.wait ?? 0));
    if (key.value === secret) refused(error);
  }
  asking = false;
  if (key.value && key.value !== secret) return refresh(); // another one was given meanwhile
  if (byId("key").hidden && !document.hidden) timer = setTimeout(refresh, wait);
}

function shown(told) {
  last = { told, arrived: Date.now() };
  byId("key").hidden = true;
  byId("page").hidden = false;
  byId("forget").hidden = !key.value;
  tell(byId("notice"), noticeOf(told));
  tellCondition(told.status);
  showOverview(told);
  tellAge();
  const { version, model_version: model } = told.status;
  tell(
    byId("footer"),
    `Tierwise ${version}. Days and hours are those of ${told.time_zone}. Dollars are at the configured prices.`,
  );
  loadModel(model);
}

function noticeOf({ ledger, read_at: read, time_zone: zone }) {
  if (ledger !== "unavailable") return "";
  const since =
    read === null ? "today's figures are missing" : `today's figures are those of ${clock(read, zone)}`;
  return `The database does not answer: ${since}. Alarms, circuits and recent decisions are of now.`;
}

function refused(error) {
  if (error instanceof Refusal && error.status === 401) return askForKey(error);
  const words =
    error instanceof Refusal ? error.message : `what the proxy says cannot be shown (${error.message})`;
  const sentence = words[0].toUpperCase() + words.slice(1);
  tell(
    byId("notice"),
    `${sentence}. ${last ? "What stands here is older. " : ""}The page tries again by itself.`,
  );
  tellCondition(null);
}

// ------------------------------------------------------------------------------------------------------- key

function askForKey(error) {
  const tried = Boolean(key.value);
  clear();
  byId("key").hidden = false;
  tell(byId("key-problem"), tried ? `That did not work: ${error.message}.` : "");
  byId("key-field").focus();
}

function submitted(event) {
  event.preventDefault();
  const field = byId("key-field");
  key.value = field.value.trim();
  field.value = "";
  tell(byId("key-problem"), "");
  refresh();
}

function forget() {
  clear();
  byId("key").hidden = false;
  tell(byId("key-problem"), "");
  byId("key-field").focus();
}

function clear() {
  clearTimeout(timer);
  key.value = "";
  last = null;
  emptyBox();
  byId("page").hidden = true;
  byId("forget").hidden = true;
  byId("condition").hidden = true;
  tell(byId("notice"), "");
  tell(byId("age"), "");
  tell(byId("footer"), "");
}

// ------------------------------------------------------------------------------------------------- condition

function tellCondition(status) {
  const pill = byId("condition");
  pill.hidden = false;
  const [words, kind] = status === null ? ["No answer", "bad"] : conditionOf(status);
  tell(pill, words);
  pill.className = `pill ${kind}`;
}

function conditionOf({ status, alarms, circuits }) {
  if (status === "stopping") return ["Being stopped", "warn"];
  const open = circuits.filter(({ state }) => state !== "closed").length;
  const said = [];
  if (alarms.length) said.push(counted(alarms.length, "alarm"));
  if (open) said.push(`${counted(open, "circuit")} open`);
  if (!said.length) return ["All is well", "good"];
  return [said.join(", "), alarms.length ? "bad" : "warn"];
}

function tellAge() {
  if (last === null) return;
  const { told, arrived } = last;
  const since = (Date.now() - arrived) / 1_000;
  const age = told.read_at === null ? since : since + Math.max(0, told.at - told.read_at);
  tell(byId("age"), age < 1 ? "Figures of now" : `Figures of ${span(age)} ago`);
}
