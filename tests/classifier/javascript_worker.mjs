// What tests ask the JavaScript predictor: a JSON object a line on standard input, an answer a line on output.
//   {"model": base64, "name": ...}     loads a model file; the answer is its version
//   {"prompt": ..., "policy": ...}     explains a decision, under another policy where one is given
// An error is answered as {"error": its class, "message": ...}.
import { createInterface } from "node:readline";
import { TierPredictor } from "../../classifier/javascript/tierwise.js";

let predictor;

async function answer(request) {
  if ("model" in request) {
    predictor = await TierPredictor.load(Buffer.from(request.model, "base64"));
    return { version: predictor.version };
  }
  const asked = request.policy ? predictor.withPolicy(request.policy) : predictor;
  const decision = asked.decide(request.prompt);
  return { decision, explanation: asked.explain(request.prompt) };
}

for await (const line of createInterface({ input: process.stdin })) {
  const said = await answer(JSON.parse(line)).catch(({ name, message }) => ({ error: name, message }));
  process.stdout.write(`${JSON.stringify(said)}\n`);
}
