// Times the JavaScript predictor, `decide` or `explain`; speaks the protocol of protocol.py.
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { TIERS, TierPredictor } from "../../../classifier/javascript/tierwise.js";

const [method, file] = process.argv.slice(2);
const started = performance.now();
const predictor = await TierPredictor.load(await readFile(file));
const loaded = performance.now() - started;
const call = method === "explain" ? (text) => predictor.explain(text) : (text) => predictor.decide(text);
let prompts = [];

function tierOf({ probabilities }) {
  return TIERS.reduce((best, tier, at) => (probabilities[tier] > probabilities[TIERS[best]] ? at : best), 0);
}

function fastest(prompt, repeats) {
  let best = Infinity;
  for (let left = repeats; left > 0; left--) {
    const start = process.hrtime.bigint();
    call(prompt);
    best = Math.min(best, Number(process.hrtime.bigint() - start));
  }
  return best;
}

function answerTo(request) {
  if (request.loaded) return loaded;
  if (!request.prompts) return prompts.map((prompt) => fastest(prompt, request.repeats));
  prompts = request.prompts;
  return prompts.map((prompt) => tierOf(call(prompt)));
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify({ answer: answerTo(JSON.parse(line)) })}\n`);
}
