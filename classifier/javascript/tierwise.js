/**
 * Choose a price tier for a prompt before it is sent: the predictor of the Python package `classifier`, in
 * one file without dependencies, for Node 20 and browsers. It reads the same model file and gives the same
 * probabilities, to 1e-9; `classifier/MODEL_FILE.md` tells the rules that both follow.
 *
 *     import { TierPredictor } from "./tierwise.js";
 *     const predictor = await TierPredictor.load("/default.tierwise"); // a URL, or the file's bytes
 *     predictor.decide("What is the capital of France?").tier; // "cheap"
 *
 * Nothing in a model file is ever executed. Nothing is kept between calls: one predictor serves everybody.
 */

/**
 * @typedef {"cheap" | "balanced" | "premium"} Tier
 * @typedef {{cheap: number, balanced: number, premium: number}} Probabilities they sum to 1
 * @typedef {{type: string, text?: string}} ContentPart
 * @typedef {{role: string, content?: string | null | ContentPart[]}} Message as OpenAI has it
 * @typedef {string | Message[]} Prompt
 *
 * @typedef {object} Decision
 * @property {Tier} tier the tier that the policy chose
 * @property {Probabilities} probabilities P(the prompt needs this tier)
 * @property {number} risk P(the prompt needs a tier above the chosen one), in [0, 1]
 * @property {number} knownVocabulary share in [0, 1] of the last ask's distinct tokens that the model knows
 * @property {string} policy the policy's rule in words
 * @property {string} modelVersion the first twelve digits of the model file's digest
 *
 * @typedef {{name: string, value: number}} Contribution what a feature, named in words, adds to log-odds
 *
 * @typedef {object} Reasoning
 * @property {Tier} against the most probable tier other than the chosen one
 * @property {number} logOdds ln P(chosen) - ln P(against): the sum of all contributions
 * @property {string} comparison the policy's own comparison, in numbers
 * @property {Contribution[]} contributions of every feature, the largest absolute value first
 * @property {string[]} reasons the names of the two strongest features that speak for the chosen tier
 *
 * @typedef {Decision & Reasoning} Explanation
 *
 * @typedef {{digest: string, provenance: object, policy: PolicyRules, head: ConversationHead | null,
 *   prompts: PromptModel}} Model
 *
 * @typedef {object} PolicyRules
 * @property {(probabilities: number[], known: number) => number} choose the index of a tier
 * @property {() => string} describe
 * @property {(probabilities: number[], known: number) => string} weigh
 */

export const FORMAT = 1;
/** @type {readonly Tier[]} */
export const TIERS = Object.freeze(["cheap", "balanced", "premium"]);

const [CHEAP, BALANCED, PREMIUM] = [0, 1, 2];

// ---------------------------------------------------------------------------------------------------- errors

/** Root of everything that is thrown on purpose. */
export class ClassifierError extends Error {
  get name() {
    return this.constructor.name;
  }
}
/** A prompt that is neither a string nor a list of OpenAI messages. */
export class PromptError extends ClassifierError {}
/** A policy whose settings make no sense. */
export class PolicyError extends ClassifierError {}
/** Something is the matter with a model file. */
export class ModelFileError extends ClassifierError {}
/** No file could be had from there. */
export class ModelFileMissing extends ModelFileError {}
/** The file is cut short, altered, or not a model file at all. */
export class ModelFileDamaged extends ModelFileError {}
/** The file is whole, but this version of Tierwise does not know its format. */
export class ModelFileUnsupported extends ModelFileError {}

// ------------------------------------------------------------------------------------------------- predictor

/** Decides which price tier a prompt needs. Immutable. */
export class TierPredictor {
  #model;
  #policyWords;

  /** @param {Model} model as `load` makes it */
  constructor(model) {
    this.#model = model;
    this.#policyWords = model.policy.describe(); // worded once: decisions are made far more often
  }

  /**
   * Return the predictor of a model file.
   *
   * @param {ArrayBuffer | ArrayBufferView | URL | string} source the file's bytes, or where to fetch them
   * @returns {Promise<TierPredictor>}
   * @throws {ModelFileMissing} if nothing can be fetched from there
   * @throws {ModelFileDamaged} if it is not a whole model file
   * @throws {ModelFileUnsupported} if another version of Tierwise wrote it
   */
  static async load(source) {
    const name = typeof source === "string" || source instanceof URL ? String(source) : "the model file";
    return new TierPredictor(await parseModel(await bytesOf(source), name));
  }

  /** The first twelve digits of the model file's digest. */
  get version() {
    return this.#model.digest.slice(0, 12);
  }

  /** What the model file says of itself: training data, metrics, what the policy was chosen for. */
  get provenance() {
    return this.#model.provenance;
  }

  /**
   * Return a predictor with the same weights under another policy; nothing is copied.
   *
   * @param {object} policy a mapping with a `kind`, as in model files: `{kind: "risk", max_risk: 0.05}`
   * @throws {PolicyError} if the kind is unknown, or a setting is missing or out of range
   */
  withPolicy(policy) {
    return new TierPredictor({ ...this.#model, policy: policyFrom(policy) });
  }

  /**
   * Return the tier for a prompt, with what it was decided on.
   *
   * @param {Prompt} prompt
   * @returns {Decision}
   * @throws {PromptError} if `prompt` is neither a string nor a non-empty list of OpenAI messages
   */
  decide(prompt) {
    const reading = read(prompt);
    return this.#decision(this.#score(reading, this.#features(reading)));
  }

  /**
   * Return the decision with the exact contribution of every feature to it.
   *
   * @param {Prompt} prompt
   * @returns {Explanation}
   * @throws {PromptError} as `decide`
   */
  explain(prompt) {
    const reading = read(prompt);
    const features = this.#features(reading);
    const decision = this.#decision(this.#score(reading, features));
    const tier = TIERS.indexOf(decision.tier);
    const against = rival(tier, triple(decision));
    const found = this.#contributions(reading, features, directionBetween(tier, against));
    return { ...decision, ...this.#reasoning(decision, against, found) };
  }

  /** Whether the last turn decides by itself. */
  #isAlone(reading) {
    return this.#model.head === null || (reading.turns.length === 1 && reading.toolResults === 0);
  }

  #features(reading) {
    const texts = this.#isAlone(reading) ? reading.turns.slice(-1) : judgedTexts(reading);
    return texts.map((text) => textFeatures(text, this.#model.prompts.excerpt));
  }

  #score(reading, features) {
    const scores = features.map((each) => this.#model.prompts.score(each));
    if (this.#isAlone(reading)) return scores[0];
    const contrast = this.#model.head.contrast(
      reading,
      scores.map((score) => score.contrast),
    );
    return { contrast, known: scores.at(-2).known }; // of the last turn; behind it stand all, joined
  }

  #decision({ contrast, known }) {
    const probabilities = softmax(contrast);
    const tier = this.#model.policy.choose(probabilities, known);
    const [cheap, balanced, premium] = probabilities;
    return {
      tier: TIERS[tier],
      probabilities: { cheap, balanced, premium },
      risk: risk(probabilities, tier),
      knownVocabulary: known,
      policy: this.#policyWords,
      modelVersion: this.version,
    };
  }

  #contributions(reading, features, direction) {
    const { prompts, head } = this.#model;
    const found = new Map();
    const add = (key, value) => found.set(key, (found.get(key) ?? 0) + value);
    const alone = this.#isAlone(reading);
    if (!alone) {
      add(BASE, along(direction, head.intercept));
      addShifts(head.counts, conversationCounts(reading), direction, add);
    }
    const ways = alone ? [direction] : head.directions(reading, features.length, direction);
    features.forEach((each, place) => {
      add(BASE, along(ways[place], prompts.intercept));
      prompts.addContributions(each, ways[place], add);
    });
    return found;
  }

  #reasoning(decision, against, found) {
    const ordered = [...found].sort((one, other) => Math.abs(other[1]) - Math.abs(one[1]));
    const speaking = ordered.filter(([key, value]) => value > 0 && key !== BASE);
    return {
      against: TIERS[against],
      logOdds: ordered.reduce((sum, [, value]) => sum + value, 0),
      comparison: this.#model.policy.weigh(triple(decision), decision.knownVocabulary),
      contributions: ordered.map(([key, value]) => ({ name: worded(key), value })),
      reasons: speaking.slice(0, 2).map(([key]) => worded(key)),
    };
  }
}

function triple({ probabilities }) {
  return TIERS.map((tier) => probabilities[tier]);
}

/** The most probable tier other than the chosen one, the cheaper one on a tie. */
function rival(chosen, probabilities) {
  const others = [CHEAP, BALANCED, PREMIUM].filter((tier) => tier !== chosen);
  return probabilities[others[1]] > probabilities[others[0]] ? others[1] : others[0];
}

// ------------------------------------------------------------------------------------------ reading a prompt

const ROLES_OF_MESSAGES = new Set(["system", "developer", "user", "assistant", "tool", "function"]);
const TEXT_PARTS = new Set(["text", "input_text", "output_text"]);

/** Read a string or OpenAI messages: the human's turns, and counts of everything else. */
function read(prompt) {
  if (typeof prompt === "string") {
    return { turns: [stripInjected(prompt)], system: 0, assistant: 0, toolResults: 0, endsWithTool: false };
  }
  if (!Array.isArray(prompt)) {
    throw new PromptError(`a prompt is a string or a list of messages, not ${shown(prompt)}`);
  }
  if (prompt.length === 0) {
    throw new PromptError('messages is empty: give at least one message, such as {role: "user", ...}');
  }
  return readMessages(Array.from(prompt, readMessage));
}

function readMessages(messages) {
  const of = (...roles) => messages.filter((message) => roles.includes(message.role));
  const human = of("user").map((message) => ({ ...message, text: stripInjected(message.text) }));
  const asked = human.filter((message) => !isBlank(message.text) || message.hasAttachment);
  const turns = asked.map((message) => message.text);
  const tools = of("tool", "function");
  return {
    turns: turns.length ? turns : [human.length ? human.at(-1).text : askWithoutAHuman(messages)],
    system: of("system", "developer").reduce((sum, message) => sum + length(message.text), 0),
    assistant: length(of("assistant").at(-1)?.text ?? ""),
    toolResults: tools.length,
    endsWithTool: tools.length > 0 && messages.at(-1) === tools.at(-1),
  };
}

/** The last text that is not a tool's: some callers put everything into the system message. */
function askWithoutAHuman(messages) {
  const texts = messages.filter(({ role, text }) => !["tool", "function"].includes(role) && !isBlank(text));
  return texts.at(-1)?.text ?? "";
}

function readMessage(message, place) {
  const role = message?.role;
  if (typeof role !== "string" || !ROLES_OF_MESSAGES.has(role)) {
    const known = [...ROLES_OF_MESSAGES].sort().join(", ");
    throw new PromptError(`message ${place + 1}: role is ${shown(role)}, but must be one of ${known}`);
  }
  return { role, ...readContent(message.content, place + 1) };
}

function readContent(content, number) {
  if (content === null || content === undefined) return { text: "", hasAttachment: false };
  if (typeof content === "string") return { text: content, hasAttachment: false };
  if (!Array.isArray(content)) {
    const said = shown(content);
    throw new PromptError(`message ${number}: content is ${said}, but must be text or a list of parts`);
  }
  const kinds = Array.from(content, (part, place) => kindOf(part, number, place + 1));
  const texts = content.filter((_, place) => TEXT_PARTS.has(kinds[place]));
  return {
    text: texts.map((part) => textOf(part, number)).join("\n"),
    hasAttachment: kinds.some((kind) => !TEXT_PARTS.has(kind) && kind !== "refusal"),
  };
}

function kindOf(part, number, place) {
  if (typeof part === "object" && typeof part?.type === "string") return part.type;
  throw new PromptError(`message ${number}, part ${place}: no type; write {type: "text", text: ...}`);
}

function textOf(part, number) {
  if (typeof part.text === "string") return part.text;
  throw new PromptError(`message ${number}: the text of a part is ${shown(part.text)}, but must be a string`);
}

/** A value for an error message: short, and its type where the value itself could be large. */
function shown(value) {
  if (value === null || value === undefined) return String(value);
  return typeof value === "string" && value.length < 40 ? JSON.stringify(value) : typeof value;
}

// ------------------------------------------------------------------------- characters, as Python counts them

/** Python's white space; JavaScript's `\s` knows other characters. */
const SPACE = String.raw`\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000`;
const NOT_SPACE = new RegExp(`[^${SPACE}]`);
const TRAILING_SPACE = new RegExp(`[${SPACE}]+$`);

function isBlank(text) {
  return !NOT_SPACE.test(text);
}

/** How many code points a text has. */
function length(text) {
  let pairs = 0;
  for (let at = 1; at < text.length; at++) if (isPair(text, at)) pairs++;
  return text.length - pairs;
}

/** Whether the code units at `at - 1` and `at` are one code point. */
function isPair(text, at) {
  return (text.charCodeAt(at) & 0xfc00) === 0xdc00 && (text.charCodeAt(at - 1) & 0xfc00) === 0xd800;
}

/** Where so many code points from the start end. */
function after(text, count) {
  let at = 0;
  for (; count > 0 && at < text.length; count--) at += isPair(text, at + 1) ? 2 : 1;
  return at;
}

/** Where so many code points from the end begin. */
function before(text, count) {
  let at = text.length;
  for (; count > 0 && at > 0; count--) at -= isPair(text, at - 1) ? 2 : 1;
  return at;
}

/**
 * Characters that Unicode has assigned since version 14, the one that the default model was trained with.
 * They stay as they are, whatever version the engine knows: else their capitals would become small letters.
 */
const ASSIGNED_SINCE = [
  String.raw`\u088f\u0897\u0c5c\u0cdc\u0cf3\u0ece\u1acf-\u1aeb\u1b4e-\u1b4f\u1b7f\u1c89-\u1c8a\u20c1`,
  String.raw`\u2427-\u2429\u2b96\u2ffc-\u2fff\u31e4-\u31ef\ua7cb-\ua7cf\ua7d2\ua7d4\ua7da-\ua7f1`,
  String.raw`\ufbc3-\ufbd2\ufd90-\ufd91\ufdc8-\ufdce\u{105c0}-\u{105f3}\u{10940}-\u{10959}`,
  String.raw`\u{10d40}-\u{10d8f}\u{10ec2}-\u{10eff}\u{1123f}-\u{11241}\u{11380}-\u{113e2}`,
  String.raw`\u{116d0}-\u{116e3}\u{11b00}-\u{11bf9}\u{11db0}-\u{11de9}\u{11f00}-\u{11f5a}\u{1342f}`,
  String.raw`\u{13439}-\u{143fa}\u{16100}-\u{16139}\u{16d40}-\u{16d79}\u{16ea0}-\u{16ed3}`,
  String.raw`\u{16ff2}-\u{16ff6}\u{187f8}-\u{187ff}\u{18cff}\u{18d09}-\u{18df2}\u{1b132}\u{1b155}`,
  String.raw`\u{1cc00}-\u{1cef0}\u{1d2c0}-\u{1d2d3}\u{1df25}-\u{1df2a}\u{1e030}-\u{1e08f}`,
  String.raw`\u{1e4d0}-\u{1e6ff}\u{1f6d8}-\u{1f6dc}\u{1f774}-\u{1f77f}\u{1f7d9}\u{1f8b2}-\u{1f8d8}`,
  String.raw`\u{1fa54}-\u{1fa57}\u{1fa75}-\u{1fa77}\u{1fa87}-\u{1fa8f}\u{1faad}-\u{1faaf}`,
  String.raw`\u{1fabb}-\u{1fabf}\u{1fac6}-\u{1facf}\u{1fada}-\u{1fadf}\u{1fae8}-\u{1faef}`,
  String.raw`\u{1faf7}-\u{1faf8}\u{1fbcb}-\u{1fbef}\u{1fbfa}\u{2b739}-\u{2b73f}\u{2cea2}-\u{2cead}`,
  String.raw`\u{2ebf0}-\u{2ee5d}\u{31350}-\u{33479}`,
].join("");
const AROUND_NEW = new RegExp(`([${ASSIGNED_SINCE}])`, "u");

/** Change what stands between the characters that Unicode 14 does not know. */
function betweenNew(text, change) {
  if (!AROUND_NEW.test(text)) return change(text);
  return text
    .split(AROUND_NEW)
    .map((piece, place) => (place % 2 ? piece : change(piece)))
    .join("");
}

function lower(text) {
  return betweenNew(text, (piece) => piece.toLowerCase());
}

function lowerComposed(text) {
  return betweenNew(text, (piece) => piece.toLowerCase().normalize("NFC"));
}

// ------------------------------------------------------------------------------------------- injected blocks

const NAMES =
  "(?:system|developer)[-_](?:reminder|message|note|info|prompt)" +
  "|reminder" +
  "|(?:env|environment)[-_](?:details|context|info)" +
  "|(?:tool|function)[-_](?:result|results|output|outputs|call|calls|use|schema|schemas|response)" +
  "|(?:command|local-command|local_command)[-_](?:name|message|args|contents|stdout|stderr|caveat)" +
  "|(?:ide|editor|workspace|project)[-_](?:context|selection|info|diagnostics|opened_file|state)" +
  "|additional[-_](?:context|data)";
/** What Python takes for the same letter where case does not matter, beyond the capital. */
const ALIKE = { i: "\u0130\u0131", k: "\u212a", s: "\u017f" };
const ANY_CASE = NAMES.replace(
  /[a-z]/g,
  (letter) => `[${letter}${letter.toUpperCase()}${ALIKE[letter] ?? ""}]`,
);
const TAG = new RegExp(`<(/?)(${ANY_CASE})(?:[${SPACE}][^<>]{0,500})?>`, "gu");

/** Cut out what agent frameworks inject into the human's turn. */
function stripInjected(text) {
  if (!text.includes("</")) return text;
  let [kept, position] = ["", 0];
  for (const [start, end] of injectedBlocks(text)) {
    kept += text.slice(position, start);
    position = end;
  }
  return kept + text.slice(position);
}

/** Where the blocks begin and end, in order; a block inside another belongs to it. */
function injectedBlocks(text) {
  let opened = new Map();
  const closed = [];
  for (const tag of text.matchAll(TAG)) {
    const name = lower(tag[2]);
    const start = opened.get(name);
    if (!tag[1]) {
      if (start === undefined) opened.set(name, tag.index);
    } else if (start !== undefined) {
      while (closed.length && closed.at(-1)[0] > start) closed.pop();
      closed.push([start, tag.index + tag[0].length]);
      opened = new Map([...opened].filter(([, place]) => place < start));
    }
  }
  return closed;
}

// ------------------------------------------------------------------------------------------ features of text

/** What the model sees of a text: which n-grams stand in it and where, and its statistics. */
function textFeatures(text, excerpt) {
  const sample = bothEnds(text, excerpt.window);
  const [ask, middle] = askAndMiddle(sample, excerpt.ask);
  const tokens = tokenise(ask);
  const asked = ngrams(tokens);
  return {
    ask: asked,
    middle: middle ? without(ngrams(tokenise(middle)), asked) : null,
    statistics: measure(sample, tokens.length, asked.words.size),
  };
}

/** The first and the last `window` characters, or all of a text that is no longer than both. */
function bothEnds(text, window) {
  if (text.length <= 2 * window || after(text, 2 * window) === text.length) return text;
  return `${text.slice(0, after(text, window))}\n${text.slice(before(text, window))}`;
}

/** Split a text into whole lines from both ends that hold `enough` characters each, and what is between. */
function askAndMiddle(text, enough) {
  if (!text.includes("\n")) return [text, ""];
  const lines = text.split("\n").filter((line) => !isBlank(line));
  const top = linesHolding(enough, lines);
  const bottom = Math.max(top, lines.length - linesHolding(enough, [...lines].reverse()));
  const ask = [...lines.slice(0, top), ...lines.slice(bottom)];
  return [ask.join("\n"), lines.slice(top, bottom).join("\n")];
}

function linesHolding(enough, lines) {
  let held = 0;
  for (let count = 0; count < lines.length; count++) {
    if (held >= enough) return count;
    held += length(lines[count]);
  }
  return lines.length;
}

const ASCII_MARKS = String.raw`!-\/:-@\[-\x60\{-~`;
/** Marks and signs of other scripts, without the white space that stands among them. */
const OTHER_MARKS =
  String.raw`\u00a1-\u00bf\u2010-\u2027\u202a-\u202e\u2030-\u205e\u2190-\u2bff\u2e00-\u2e7f\u3001-\u303f` +
  String.raw`\ufe30-\ufe4f\uff00-\uff20\uff3b-\uff40\uff5b-\uff65\u{1f000}-\u{1faff}`;
const UNSPACED_SCRIPTS =
  String.raw`\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff` +
  String.raw`\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u{20000}-\u{3ffff}`;
const APART = `${ASCII_MARKS}${OTHER_MARKS}${UNSPACED_SCRIPTS}`;
const TOKEN = new RegExp(`[^${SPACE}${APART}]+|[${APART}]`, "gu");
const ASCII_TOKEN = new RegExp(String.raw`[^\t-\r\x1c-\x20${ASCII_MARKS}]+|[${ASCII_MARKS}]`, "g");
const BEYOND_ASCII = /[^\x00-\x7f]/;
const UNSPACED = new RegExp(`^[${UNSPACED_SCRIPTS}]$`, "u");

/** The text's tokens in order: runs of letters and digits, single marks, characters of unspaced scripts. */
function tokenise(text) {
  if (!BEYOND_ASCII.test(text)) return text.toLowerCase().match(ASCII_TOKEN) ?? [];
  return lowerComposed(text).match(TOKEN) ?? [];
}

const STEM = 5;
const ELLIPSIS = "\u2026"; // a mark by itself, so no token contains it

/** The n-grams of a text's tokens, each once: tokens, beginnings of long ones, pairs of neighbours. */
function ngrams(tokens) {
  const words = new Set(tokens);
  const stems = new Set();
  for (const word of words) {
    const end = word.length > STEM ? after(word, STEM) : word.length;
    if (end < word.length) stems.add(word.slice(0, end));
  }
  const pairs = new Set(); // joined by a space, which no token contains
  for (let at = 1; at < tokens.length; at++) pairs.add(`${tokens[at - 1]} ${tokens[at]}`);
  return { words, stems, pairs };
}

function without(found, others) {
  const rest = (kind) => new Set([...found[kind]].filter((each) => !others[kind].has(each)));
  return { words: rest("words"), stems: rest("stems"), pairs: rest("pairs") };
}

const [OTHER, DIGIT, CAPITAL, SYMBOL, CODE, QUESTION, LINE, BLANK, BEYOND] = [0, 1, 2, 3, 4, 5, 6, 7, 8];
const CLASSES = Uint8Array.from({ length: 128 }, (_, unit) => {
  const character = String.fromCharCode(unit);
  if (character === "?") return QUESTION;
  if (character === "\n") return LINE;
  if (character === " ") return BLANK;
  if ("()[]{}<>=;".includes(character)) return CODE;
  if (/[0-9]/.test(character)) return DIGIT;
  if (/[A-Z]/.test(character)) return CAPITAL;
  return /[!-~]/.test(character) && !/[a-z]/.test(character) ? SYMBOL : OTHER;
});

/** The statistics of a prompt; characters are counted as bytes of UTF-8, lone surrogates as three. */
function measure(sample, tokens, distinct) {
  const counts = new Float64Array(9);
  for (let at = 0; at < sample.length; at++) {
    const unit = sample.charCodeAt(at);
    if (unit < 0x80) counts[CLASSES[unit]]++;
    else counts[BEYOND] += unit < 0x800 || isPair(sample, at) || isPair(sample, at + 1) ? 2 : 3; // half of four
  }
  const size = counts.reduce((sum, count) => sum + count) || 1;
  return [
    Math.log1p(counts[BLANK] + counts[LINE]),
    Math.log1p(counts[LINE]),
    Math.log1p(counts[QUESTION]),
    counts[DIGIT] / size,
    counts[CAPITAL] / size,
    (counts[SYMBOL] + counts[CODE] + counts[QUESTION]) / size,
    counts[CODE] / size,
    counts[BEYOND] / size,
    distinct / (tokens || 1),
  ];
}

// --------------------------------------------------------------------------------------- the model of a text

/** TF-IDF and logistic regression over three tiers, folded into three numbers for each n-gram. */
class PromptModel {
  constructor(excerpt, intercept, statistics, rows, weights) {
    this.excerpt = excerpt;
    this.intercept = intercept;
    this.statistics = statistics;
    this.rows = rows;
    this.weights = weights;
  }

  /** The contrasts of a text, and the share of its ask's tokens that the model knows. */
  score({ ask, middle, statistics }) {
    const asked = this.#sum(ask);
    const weight = this.excerpt.middle_weight;
    const more = middle ? this.#sum(middle) : NOTHING;
    const norm = Math.sqrt(asked.squares + weight * weight * more.squares) || 1;
    const contrast = this.intercept.map((start, axis) => {
      const found = asked.contrast[axis] + weight * more.contrast[axis];
      return start + standardised(this.statistics, statistics, axis) + found / norm;
    });
    return { contrast, known: asked.known / (ask.words.size || 1) };
  }

  /** Tell `add` what each feature of a text adds to the log-odds in a direction. */
  addContributions({ ask, middle, statistics }, direction, add) {
    const weight = this.excerpt.middle_weight;
    const more = middle ? this.#sum(middle).squares : 0;
    const norm = Math.sqrt(this.#sum(ask).squares + weight * weight * more) || 1;
    this.#addNgrams(ask, times(direction, 1 / norm), add);
    if (middle) this.#addNgrams(middle, times(direction, weight / norm), add);
    addShifts(this.statistics, statistics, direction, add);
  }

  #sum(found) {
    let [squares, balanced, premium, known] = [0, 0, 0, 0];
    for (const kind of KINDS) {
      const rows = this.rows[kind];
      for (const ngram of found[kind]) {
        const at = rows.get(ngram);
        if (at === undefined) continue;
        squares += this.weights[at];
        balanced += this.weights[at + 1];
        premium += this.weights[at + 2];
        if (kind === "words") known++;
      }
    }
    return { squares, contrast: [balanced, premium], known };
  }

  #addNgrams(found, direction, add) {
    for (const kind of KINDS) {
      for (const ngram of found[kind]) {
        const at = this.rows[kind].get(ngram);
        if (at === undefined) continue;
        const key = kind === "stems" ? ngram + ELLIPSIS : ngram;
        add(key, direction[0] * this.weights[at + 1] + direction[1] * this.weights[at + 2]);
      }
    }
  }
}

const KINDS = ["words", "stems", "pairs"];
const NOTHING = { squares: 0, contrast: [0, 0] };

/** What standardised statistics add to the contrast of one axis, 0 for balanced and 1 for premium. */
function standardised(weights, values, axis) {
  let sum = 0;
  for (let at = 0; at < weights.length; at++) {
    sum += ((values[at] - weights[at].mean) / weights[at].scale) * weights[at].contrast[axis];
  }
  return sum;
}

/** Probabilities in the order of `TIERS` from the contrasts of balanced and premium against cheap. */
function softmax([balanced, premium]) {
  const top = Math.max(0, balanced, premium);
  const powers = [Math.exp(-top), Math.exp(balanced - top), Math.exp(premium - top)];
  const total = powers[0] + powers[1] + powers[2];
  return powers.map((power) => power / total);
}

// ---------------------------------------------------------------------------------------------- explanations

/** ln P(tier) - ln P(other), as so many times the balanced and so many times the premium contrast. */
function directionBetween(tier, other) {
  return [BALANCED, PREMIUM].map((each) => Number(tier === each) - Number(other === each));
}

function times(direction, factor) {
  return [direction[0] * factor, direction[1] * factor];
}

function along(direction, contrast) {
  return direction[0] * contrast[0] + direction[1] * contrast[1];
}

const BASE = " base"; // the keys of what is no n-gram begin with a space, which no token contains
const STATISTIC_WORDS = {
  log_words: ["many words", "few words"],
  log_lines: ["many lines", "few lines"],
  log_questions: ["many question marks", "few question marks"],
  digit_share: ["many digits", "few digits"],
  capital_share: ["many capitals", "few capitals"],
  symbol_share: ["many symbols", "few symbols"],
  code_share: ["many brackets and operators", "few brackets and operators"],
  non_ascii_share: ["much text beyond ASCII", "little text beyond ASCII"],
  distinct_share: ["few repeated words", "many repeated words"],
};
const COUNT_WORDS = {
  log_turns: ["many turns", "few turns"],
  log_last_characters: ["long last turn", "short last turn"],
  log_system_characters: ["long system prompt", "short or no system prompt"],
  log_assistant_characters: ["long last answer", "short last answer"],
  log_tool_results: ["many tool results", "few tool results"],
  ends_with_tool: ["a tool result comes last", "a human comes last"],
  brevity: ["a brief follow-up", "no brief follow-up"],
  is_closing: ["thanks or leave-taking", "no thanks or leave-taking"],
  is_assent: ["a go-ahead", "no go-ahead"],
};
const SHIFT_WORDS = shiftWords();

function shiftWords() {
  const words = new Map([[BASE, "what prompts need on average"]]);
  for (const [name, [large, small]] of Object.entries({ ...STATISTIC_WORDS, ...COUNT_WORDS })) {
    words.set(shiftKey(name, true), large).set(shiftKey(name, false), small);
  }
  return words;
}

function shiftKey(name, isLarge) {
  return ` ${name} ${isLarge}`;
}

/** Tell `add` what each statistic or count adds to the log-odds in a direction. */
function addShifts(weights, values, direction, add) {
  weights.forEach(({ name, mean, scale, contrast }, place) => {
    const amount = (values[place] - mean) / scale;
    add(shiftKey(name, amount > 0), amount * along(direction, contrast));
  });
}

/** A feature in words, such as "'prove that'" or "many symbols". */
function worded(key) {
  if (key.startsWith(" ")) return SHIFT_WORDS.get(key);
  const tokens = key.split(" ");
  return `'${tokens.join(tokens.every((token) => UNSPACED.test(token)) ? "" : " ")}'`;
}

// --------------------------------------------------------------------------------------------- conversations

const ROLES = ["last", "previous", "first", "mean", "joined", "brief", "inherited"];
const RECENT_TURNS = 8;
const BRIEF = 60; // characters after which brevity has fallen to 1/e

/** The texts that the prompt model reads: the human's turns, then all of them joined. */
function judgedTexts({ turns }) {
  const read = turns.length > RECENT_TURNS + 1 ? [turns[0], ...turns.slice(-RECENT_TURNS)] : turns;
  return [...read, read.join("\n")];
}

/** The linear head over the contrasts of a conversation's turns, and a few counts. */
class ConversationHead {
  constructor(intercept, matrices, counts) {
    this.intercept = intercept;
    this.matrices = matrices;
    this.counts = counts;
  }

  contrast(reading, contrasts) {
    const matrices = this.#placed(reading, contrasts.length);
    const counts = conversationCounts(reading);
    return this.intercept.map((start, axis) => {
      const parts = matrices.map((matrix, place) => {
        const [balanced, premium] = contrasts[place];
        return matrix[axis] * balanced + matrix[axis + 2] * premium;
      });
      return parts.reduce((sum, part) => sum + part, start) + standardised(this.counts, counts, axis);
    });
  }

  /** The directions in the texts' contrasts that move the conversation's along `direction`. */
  directions(reading, texts, direction) {
    return this.#placed(reading, texts).map((matrix) => [
      along(direction, matrix.slice(0, 2)),
      along(direction, matrix.slice(2)),
    ]);
  }

  /** For each judged text, how its contrast moves the conversation's: a matrix of two by two. */
  #placed(reading, texts) {
    const shares = roleShares(texts - 1, brevity(reading));
    return Array.from({ length: texts }, (_, place) =>
      [0, 1, 2, 3].map((cell) =>
        ROLES.reduce((sum, role, at) => sum + shares[role](place) * this.matrices[at][cell], 0),
      ),
    );
  }
}

/** How much of each role the text at a place makes up; without a previous turn, the last stands in for it. */
function roleShares(turns, shortness) {
  const only = (wanted) => (place) => Number(place === wanted);
  const [last, previous] = [only(turns - 1), only(Math.max(turns - 2, 0))];
  return {
    last,
    previous,
    first: only(0),
    mean: (place) => (place < turns ? 1 / turns : 0),
    joined: only(turns),
    brief: (place) => shortness * last(place),
    inherited: (place) => shortness * previous(place),
  };
}

/** How little the last turn says by itself, in [0, 1]; 0 where nothing precedes it or nothing is asked. */
function brevity({ turns }) {
  const last = turns.at(-1);
  if (turns.length < 2 || isClosing(last)) return 0;
  return isAssent(last) ? 1 : Math.exp(-length(last) / BRIEF);
}

function conversationCounts(reading) {
  const last = reading.turns.at(-1);
  return [
    Math.log1p(reading.turns.length),
    Math.log1p(length(last)),
    Math.log1p(reading.system),
    Math.log1p(reading.assistant),
    Math.log1p(reading.toolResults),
    Number(reading.endsWithTool),
    brevity(reading),
    Number(isClosing(last)),
    Number(isAssent(last)),
  ];
}

const LONGEST_CLOSING = 80;
const LONGEST_ASSENT = 60;
const CLOSING = asPythonReads(
  String.raw`\b(?:thanks?|thx|ty|cheers|bye|goodbye|good ?night|that'?s all|got it` +
    String.raw`|danke\w*|tschüss|das war'?s|merci|au revoir|bonne (?:soirée|journée|nuit)` +
    String.raw`|gracias|adiós|gràcies|obrigad[oa]|valeu|grazie|arrivederci` +
    String.raw`|bedankt|dank je|dank u|tot ziens|tack|takk|tak|kiitos|aitäh` +
    String.raw`|dzięk\w*|děkuj\w*|díky|ďakujem|hvala|köszön\w*|mulțumesc|multumesc` +
    String.raw`|спасибо|дякую|благодаря|хвала|ευχαριστ\w*|teşekkür\w*|sağ ?ol` +
    String.raw`|terima kasih|makasih|cảm ơn|salamat|asante)\b` +
    String.raw`|谢谢|謝謝|多谢|再见|ありがと|助かりました|감사|고마|ขอบคุณ|धन्यवाद|शुक्रिया|شكرا|تشکر|ممنون|תודה`,
);
const ASSENT = asPythonReads(
  String.raw`\b(?:yes|yep|yeah|sure|ok|okay|go|do (?:it|that)|please do|continue|proceed` +
    String.raw`|carry on|keep going|next` +
    String.raw`|ja|jawohl|mach|los|weiter|oui|vas-y|allez-y|continue[zr]` +
    String.raw`|sí|si|adelante|dale|sigue` +
    String.raw`|sim|pode|avança|segue|va bene|procedi|vai|graag|doe maar` +
    String.raw`|tak|dawaj|да|давай\w*|продолж\w*|ano|igen|kyllä|joo|evet|devam|ya|lanjut)\b` +
    String.raw`|はい|お願い|続け|好的|可以|继续|来吧|계속|^네|^예|نعم|تابع|أكمل|हाँ|हां`,
);

/** A pattern whose `\w` and `\b` mean letters and digits of every script, as they do in Python. */
function asPythonReads(pattern) {
  const word = String.raw`(?:(?![${ASSIGNED_SINCE}])[\p{L}\p{N}_])`;
  const boundary = `(?:(?<=${word})(?!${word})|(?<!${word})(?=${word}))`;
  return new RegExp(pattern.replaceAll("\\b", boundary).replaceAll("\\w", word), "u");
}

/** Whether a turn is short and thanks or takes leave. */
function isClosing(turn) {
  return isWithin(turn, LONGEST_CLOSING) && CLOSING.test(lower(turn));
}

/** Whether a turn is short, no question, and tells the assistant to go ahead. */
function isAssent(turn) {
  if (!isWithin(turn, LONGEST_ASSENT) || /[?？؟]$/.test(turn.replace(TRAILING_SPACE, ""))) return false;
  return !isClosing(turn) && ASSENT.test(lower(turn));
}

function isWithin(turn, characters) {
  return turn.length <= 2 * characters && length(turn) <= characters;
}

// -------------------------------------------------------------------------------------------------- policies

/** P(the needed tier is above `tier`), in [0, 1]. */
function risk(probabilities, tier) {
  const above = probabilities.slice(tier + 1).reduce((sum, each) => sum + each, 0);
  return Math.min(above, 1); // rounding can lift a sum of all of them above 1
}

const POLICIES = {
  risk: riskPolicy,
  expected_cost: expectedCostPolicy,
  fixed: fixedPolicy,
  bounded: boundedPolicy,
  abstaining: abstainingPolicy,
};

/** @returns {PolicyRules} */
function policyFrom(mapping) {
  const build = Object.hasOwn(POLICIES, mapping?.kind ?? "") ? POLICIES[mapping.kind] : undefined;
  if (build) return build(mapping);
  const known = Object.keys(POLICIES).sort().join(", ");
  throw new PolicyError(`unknown policy ${JSON.stringify(mapping)}: kind is one of ${known}`);
}

/** The cheapest tier whose risk is at most `max_risk`. */
function riskPolicy({ max_risk: most }) {
  share("max_risk", most);
  const choose = (probabilities) =>
    [CHEAP, BALANCED].find((tier) => risk(probabilities, tier) <= most) ?? PREMIUM;
  const bound = general(most, 3);
  return {
    choose,
    describe: () => `risk at most ${bound}`,
    weigh(probabilities) {
      const chosen = choose(probabilities);
      const compared = TIERS.slice(0, chosen + 1).map((name, tier) => {
        const sign = tier < chosen ? ">" : "<=";
        return `risk of ${name} ${fixed(risk(probabilities, tier), 3)} ${sign} ${bound}`;
      });
      return compared.join(", ");
    },
  };
}

/** The tier with the least expected cost: its price plus the risk of a poor answer times what that costs. */
function expectedCostPolicy({ tier_usd: prices, poor_answer_usd: poor }) {
  const amounts = [...(Array.isArray(prices) ? prices : []), poor];
  const isSound = amounts.length === 4 && amounts.every((usd) => Number.isFinite(usd) && usd >= 0);
  if (!isSound) throw new PolicyError("tier_usd holds three prices, poor_answer_usd one: none negative");
  const costs = (probabilities) => prices.map((usd, tier) => usd + risk(probabilities, tier) * poor);
  return {
    choose: (probabilities) => {
      const expected = costs(probabilities);
      return expected.indexOf(Math.min(...expected));
    },
    describe: () => `least expected cost, a poor answer costing $${general(poor, 6)}`,
    weigh: (probabilities) =>
      "expected cost of " +
      costs(probabilities)
        .map((usd, tier) => `${TIERS[tier]} $${general(usd, 3)}`)
        .join(", "),
  };
}

/** Always the same tier. */
function fixedPolicy({ tier }) {
  const always = tierNamed(tier);
  return {
    choose: () => always,
    describe: () => `always ${tier}`,
    weigh: (probabilities) => `always ${tier}, at a risk of ${fixed(risk(probabilities, always), 3)}`,
  };
}

/** Another policy's choice, kept between a floor and a ceiling. */
function boundedPolicy({ policy, floor, ceiling }) {
  const inner = policyFrom(policy);
  const [least, most] = [tierNamed(floor), tierNamed(ceiling)];
  if (least > most) throw new PolicyError(`the floor, ${floor}, is above the ceiling, ${ceiling}`);
  return {
    choose: (probabilities, known) => Math.min(Math.max(inner.choose(probabilities, known), least), most),
    describe: () => `${inner.describe()}, between ${floor} and ${ceiling}`,
    weigh: (probabilities, known) =>
      `${inner.weigh(probabilities, known)}; kept between ${floor} and ${ceiling}`,
  };
}

/** Another policy's choice where the model has grounds for one, else a safe tier. */
function abstainingPolicy({ policy, safe_tier: safe, least_known: leastKnown, least_top: leastTop }) {
  const inner = policyFrom(policy);
  const tier = tierNamed(safe);
  share("least_known", leastKnown);
  share("least_top", leastTop);
  const lacks = (probabilities, known) => known < leastKnown || Math.max(...probabilities) < leastTop;
  return {
    choose: (probabilities, known) =>
      lacks(probabilities, known) ? tier : inner.choose(probabilities, known),
    describe: () => inner.describe() + abstention(safe, leastKnown, leastTop),
    weigh(probabilities, known) {
      const top = Math.max(...probabilities);
      if (known < leastKnown)
        return `known vocabulary ${fixed(known, 3)} < ${general(leastKnown, 3)}: ${safe}`;
      if (top < leastTop) return `highest probability ${fixed(top, 3)} < ${general(leastTop, 3)}: ${safe}`;
      return inner.weigh(probabilities, known);
    },
  };
}

function abstention(safe, leastKnown, leastTop) {
  const when = [
    leastKnown ? `knows less than ${fixed(leastKnown * 100, 0)}% of the words` : "",
    leastTop ? `gives no tier ${fixed(leastTop * 100, 0)}%` : "",
  ].filter(Boolean);
  return when.length ? `; ${safe} where the model ${when.join(" or ")}` : "";
}

function tierNamed(name) {
  const tier = TIERS.indexOf(name);
  if (tier < 0) throw new PolicyError(`${JSON.stringify(name)} is no tier: use cheap, balanced or premium`);
  return tier;
}

function share(name, value) {
  if (typeof value === "number" && value >= 0 && value <= 1) return;
  throw new PolicyError(`${name} is ${JSON.stringify(value)}, but a share or probability lies in [0, 1]`);
}

/** A number with so many decimals, as Python's `:.3f` writes it. */
function fixed(number, decimals) {
  return halfToEven(number.toFixed(60), number.toFixed(decimals), decimals);
}

/** A number with so many significant digits, as Python's `:.3g` writes it. */
function general(number, digits) {
  if (number === 0) return "0";
  const rounded = halfToEven(number.toExponential(60), number.toExponential(digits - 1), digits - 1);
  const [mantissa, power] = rounded.split("e");
  const exponent = Number(power);
  if (exponent >= -4 && exponent < digits) return String(Number(rounded));
  const sign = exponent < 0 ? "-" : "+";
  return `${Number(mantissa)}e${sign}${String(Math.abs(exponent)).padStart(2, "0")}`;
}

/** JavaScript rounds a half away from zero, Python to the even digit. */
function halfToEven(exact, rounded, decimals) {
  const [mantissa, power] = exact.split("e");
  const end = mantissa.indexOf(".") + 1 + decimals;
  const shorter = mantissa.slice(0, end).replace(/\.$/, "");
  const isHalf = /^50*$/.test(mantissa.slice(end));
  return isHalf && "02468".includes(shorter.at(-1))
    ? shorter + (power === undefined ? "" : `e${power}`)
    : rounded;
}

// -------------------------------------------------------------------------------------------- the model file

const LARGEST = 256 * 2 ** 20; // bytes of a file or a member: more than any model needs

/** @returns {Promise<Uint8Array>} */
async function bytesOf(source) {
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  if (ArrayBuffer.isView(source)) return new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
  if (typeof source !== "string" && !(source instanceof URL)) {
    throw new ModelFileMissing(`a model file is bytes or a URL, not ${shown(source)}`);
  }
  return fetched(source);
}

async function fetched(url) {
  const inNode = "in Node, pass the bytes of a file: TierPredictor.load(await readFile(path))";
  let response;
  try {
    response = await fetch(url);
  } catch (error) {
    throw new ModelFileMissing(`${url}: cannot be fetched (${error.message}); ${inNode}`, { cause: error });
  }
  if (!response.ok) throw new ModelFileMissing(`${url}: the server answered ${response.status}`);
  try {
    return await collected(response.body, LARGEST);
  } catch (error) {
    throw new ModelFileMissing(`${url}: broke off (${error.message}); try again`, { cause: error });
  }
}

/** All bytes of a stream, or an error as soon as there are more than `most`. */
async function collected(stream, most) {
  const chunks = [];
  let size = 0;
  const reader = stream.getReader();
  for (let step = await reader.read(); !step.done; step = await reader.read()) {
    size += step.value.length;
    if (size > most) {
      reader.cancel().catch(() => {}); // what a broken stream says while it is closed is of no interest
      throw new RangeError(`more than ${most} bytes`);
    }
    chunks.push(step.value);
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) whole.set(chunk, (at += chunk.length) - chunk.length);
  return whole;
}

/** The model that these bytes hold; `name` is how errors call the file. */
async function parseModel(content, name) {
  try {
    const archive = zipMembers(content);
    const text = utf8(await memberOf(archive, "manifest.json"));
    const manifest = JSON.parse(text);
    checkFormat(manifest);
    const vocabulary = await memberOf(archive, "vocabulary.txt");
    const weights = await memberOf(archive, "weights.f64");
    checkDigests(manifest, text, { "vocabulary.txt": vocabulary, "weights.f64": weights });
    return modelOf(manifest, vocabulary, weights);
  } catch (error) {
    if (error instanceof ModelFileUnsupported) throw new ModelFileUnsupported(`${name}: ${error.message}`);
    // A damaged file can trip anything above; JavaScript has no list of errors to tell its damage from a bug.
    const reason = `${error.name}: ${error.message}`;
    throw new ModelFileDamaged(`${name}: not a whole model file (${reason}); train or fetch it anew`, {
      cause: error,
    });
  }
}

function checkFormat({ format, tiers }) {
  if (format !== FORMAT) {
    const remedy = Number.isInteger(format) && format > FORMAT ? "upgrade tierwise" : "train it anew";
    const said = JSON.stringify(format);
    throw new ModelFileUnsupported(
      `the model file has format ${said}, this version reads ${FORMAT}: ${remedy}`,
    );
  }
  if (JSON.stringify(tiers) !== JSON.stringify(TIERS)) {
    const said = JSON.stringify(tiers);
    throw new ModelFileUnsupported(`made for the tiers ${said}, this version knows ${TIERS}: train it anew`);
  }
}

function checkDigests(manifest, text, members) {
  const digest = String(manifest.digest);
  // The writer sorts keys and spells numbers, so that white space and the digest itself are all to take out.
  const canonical = text
    .replace(/("[^"\\]*(?:\\.[^"\\]*)*")|[ \t\n\r]+/g, "$1")
    .replace(`"digest":"${digest}",`, "");
  if (sha256(new TextEncoder().encode(canonical)) !== digest)
    throw new RangeError("the manifest was altered");
  for (const [name, content] of Object.entries(members)) {
    const promised = manifest.members[name];
    if (promised.bytes !== content.length || promised.sha256 !== sha256(content)) {
      throw new RangeError(`${name} was altered`);
    }
  }
}

function modelOf(manifest, vocabulary, weights) {
  const settings = manifest.prompt_model;
  const numbers = weightsOf(weights);
  const { provenance } = manifest;
  if (typeof provenance !== "object" || provenance === null || Array.isArray(provenance)) {
    throw new RangeError("the provenance is no mapping");
  }
  return {
    digest: manifest.digest,
    provenance,
    policy: policyFrom(manifest.policy),
    head: headOf(manifest.conversation_head),
    prompts: new PromptModel(
      excerptOf(settings.excerpt),
      finite(settings.intercept, 2),
      statisticWeights(settings.statistics, Object.keys(STATISTIC_WORDS)),
      rowsOf(settings, vocabulary, numbers.length / 3),
      numbers,
    ),
  };
}

/** Three numbers for each n-gram: idf², and idf times its balanced and its premium contrast. */
function weightsOf(content) {
  if (content.length % 24 !== 0) throw new RangeError("the weights are no rows of three numbers");
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  const numbers = new Float64Array(content.length / 8);
  for (let at = 0; at < numbers.length; at++) numbers[at] = view.getFloat64(8 * at, true);
  const isSound = numbers.every((number, at) => Number.isFinite(number) && (at % 3 !== 0 || number > 0));
  if (!isSound) throw new RangeError("a weight is out of range");
  return numbers;
}

/** Where the row of each n-gram begins among the weights. */
function rowsOf({ words, stems, pairs }, vocabulary, count) {
  const lines = count ? utf8(vocabulary).split("\n") : [];
  const promised = [words, stems, pairs];
  const isSound = promised.every((each) => Number.isInteger(each) && each >= 0);
  if (!isSound || lines.length !== count || words + stems + pairs !== count) {
    throw new RangeError(`${promised} n-grams promised, ${lines.length} listed, ${count} rows of weights`);
  }
  const rows = (start, end) => {
    const found = new Map();
    for (let at = start; at < end; at++) found.set(lines[at], 3 * at);
    return found;
  };
  const found = {
    words: rows(0, words),
    stems: rows(words, words + stems),
    pairs: rows(words + stems, count),
  };
  if (KINDS.some((kind, at) => found[kind].size !== promised[at]))
    throw new RangeError("an n-gram stands twice");
  for (const pair of found.pairs.keys()) {
    if (pair.split(" ").length !== 2) throw new RangeError("a pair is not two tokens");
  }
  return found;
}

function headOf(mapping) {
  if (mapping === null) return null;
  if (mapping.roles.map(({ role }) => role).join() !== ROLES.join()) {
    throw new ModelFileUnsupported("the model file weighs other turns than this version does: train it anew");
  }
  const matrices = mapping.roles.map(({ matrix }) => finite(matrix, 4));
  const counts = statisticWeights(mapping.counts, Object.keys(COUNT_WORDS));
  return new ConversationHead(finite(mapping.intercept, 2), matrices, counts);
}

function statisticWeights(entries, names) {
  if (entries.map(({ name }) => name).join() !== names.join()) {
    throw new ModelFileUnsupported("the model file weighs other statistics than this version: train it anew");
  }
  return entries.map(({ name, mean, scale, balanced, premium }) => {
    const contrast = finite([balanced, premium, mean, scale], 4).slice(0, 2);
    if (scale <= 0) throw new RangeError(`the scale of ${name} is ${scale}`);
    return { name, mean, scale, contrast };
  });
}

function excerptOf({ window, ask, middle_weight }) {
  finite([window, ask, middle_weight], 3);
  if (Number.isInteger(window) && window > 0 && ask > 0 && middle_weight > 0 && middle_weight <= 1) {
    return { window, ask, middle_weight };
  }
  throw new RangeError("the excerpt cannot be read by");
}

function finite(numbers, count) {
  if (numbers.length === count && numbers.every(Number.isFinite)) return numbers;
  throw new RangeError("a weight is not a finite number");
}

function utf8(bytes) {
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
}

// ------------------------------------------------------------------------------------------------------- zip

const [DIRECTORY_END, DIRECTORY_ENTRY, LOCAL_ENTRY] = [0x06054b50, 0x02014b50, 0x04034b50];
const [STORED, DEFLATED] = [0, 8];

/** The members of a zip by name: where each lies, and how large it claims to be. */
function zipMembers(content) {
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  const end = directoryEnd(view);
  const members = new Map();
  let at = view.getUint32(end + 16, true);
  for (let left = view.getUint16(end + 10, true); left > 0; left--) {
    if (view.getUint32(at, true) !== DIRECTORY_ENTRY)
      throw new RangeError("the directory of the zip is damaged");
    const nameEnd = at + 46 + view.getUint16(at + 28, true);
    members.set(utf8(content.subarray(at + 46, nameEnd)), memberEntry(view, at));
    at = nameEnd + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return { content, view, members };
}

function directoryEnd(view) {
  const first = Math.max(0, view.byteLength - 22 - 0xffff); // a comment of at most so many bytes follows it
  for (let at = view.byteLength - 22; at >= first; at--) {
    if (view.getUint32(at, true) === DIRECTORY_END) return at;
  }
  throw new RangeError("not a zip file");
}

function memberEntry(view, at) {
  return {
    isEncrypted: (view.getUint16(at + 8, true) & 1) === 1,
    method: view.getUint16(at + 10, true),
    crc: view.getUint32(at + 16, true),
    packed: view.getUint32(at + 20, true),
    size: view.getUint32(at + 24, true),
    local: view.getUint32(at + 42, true),
  };
}

/** The bytes of a member, unpacked. */
async function memberOf({ content, view, members }, name) {
  const entry = members.get(name);
  if (!entry) throw new RangeError(`there is no ${name} in it`);
  if (entry.isEncrypted || ![STORED, DEFLATED].includes(entry.method)) {
    throw new RangeError(`${name} is encrypted or packed in a way that nobody here uses`);
  }
  if (entry.size > LARGEST)
    throw new RangeError(`${name} claims ${entry.size} bytes, more than any model needs`);
  if (view.getUint32(entry.local, true) !== LOCAL_ENTRY)
    throw new RangeError(`${name} is not where it should be`);
  const start =
    entry.local + 30 + view.getUint16(entry.local + 26, true) + view.getUint16(entry.local + 28, true);
  const packed = content.subarray(start, start + entry.packed);
  const unpacked = entry.method === STORED ? packed : await inflated(packed, entry);
  if (unpacked.length !== entry.size) throw new RangeError(`${name} is not as long as it claims`);
  return unpacked;
}

/**
 * Unpack deflated bytes. Every engine unpacks gzip, not every Node 20 bare deflate; a gzip is the same with a
 * header of ten bytes and, as a zip has them too, a checksum and the size.
 */
function inflated(packed, { crc, size }) {
  const trailer = new DataView(new ArrayBuffer(8));
  trailer.setUint32(0, crc, true);
  trailer.setUint32(4, size, true);
  const gzip = new Blob([Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff), packed, trailer]);
  return collected(gzip.stream().pipeThrough(new DecompressionStream("gzip")), size);
}

// --------------------------------------------------------------------------------------------------- SHA-256

// FIPS 180-4, in place of WebCrypto: that is only there on HTTPS and localhost, and a gateway's own page is
// often served over plain HTTP inside a network. It guards against accidents, not against attackers.

const [ROUNDS, START] = roundConstants();

/** The first 32 bits behind the point of roots of primes: of 64 cube roots, and of 8 square roots. */
function roundConstants() {
  const primes = [];
  for (let number = 2; primes.length < 64; number++) {
    if (primes.every((prime) => number % prime !== 0)) primes.push(number);
  }
  return [
    Int32Array.from(primes, (prime) => (Math.cbrt(prime) % 1) * 2 ** 32),
    Int32Array.from(primes.slice(0, 8), (prime) => (Math.sqrt(prime) % 1) * 2 ** 32),
  ];
}

/** The SHA-256 of some bytes in hexadecimal digits. */
function sha256(bytes) {
  const padded = new Uint8Array(64 * Math.ceil((bytes.length + 9) / 64));
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 8, Math.floor(bytes.length / 2 ** 29));
  view.setUint32(padded.length - 4, bytes.length << 3);
  const hash = Int32Array.from(START);
  const words = new Int32Array(64);
  for (let block = 0; block < padded.length; block += 64) {
    schedule(view, block, words);
    addBlock(hash, words);
  }
  return Array.from(hash, (word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}

function schedule(view, block, words) {
  for (let at = 0; at < 16; at++) words[at] = view.getInt32(block + 4 * at);
  for (let at = 16; at < 64; at++) {
    const near = words[at - 2];
    const far = words[at - 15];
    const small = turned(far, 7) ^ turned(far, 18) ^ (far >>> 3);
    const large = turned(near, 17) ^ turned(near, 19) ^ (near >>> 10);
    words[at] = words[at - 16] + small + words[at - 7] + large;
  }
}

function addBlock(hash, words) {
  let [a, b, c, d, e, f, g, h] = hash;
  for (let at = 0; at < 64; at++) {
    const mixed = (turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)) + ((e & f) ^ (~e & g));
    const first = (h + mixed + ROUNDS[at] + words[at]) | 0;
    const second = (turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + second) | 0];
  }
  [a, b, c, d, e, f, g, h].forEach((word, at) => (hash[at] += word));
}

function turned(word, by) {
  return (word >>> by) | (word << (32 - by));
}
