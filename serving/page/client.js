/** Asks the proxy, with the key where one is needed. */

const STORED = "tierwise-key";
const TIMEOUT = 10_000;

/** What went wrong, in words for people. */
export class Refusal extends Error {
  /**
   * @param {string} words
   * @param {number} status of the response; 0 where none came
   * @param {number} wait seconds for which nothing should be asked
   */
  constructor(words, status, wait = 0) {
    super(words);
    this.status = status;
    this.wait = wait;
  }
}

/** The API key: in this tab's session storage, or, where that is closed to pages, in memory. */
class Key {
  #held = "";

  get value() {
    try {
      return sessionStorage.getItem(STORED) ?? this.#held;
    } catch {
      return this.#held;
    }
  }

  set value(secret) {
    this.#held = secret;
    try {
      if (secret) sessionStorage.setItem(STORED, secret);
      else sessionStorage.removeItem(STORED);
    } catch {
      // it is held in memory
    }
  }
}

export const key = new Key();

/**
 * Fetch something below `/v1`.
 *
 * @param {string} path relative to the page, so that a proxy may stand below any path of a gateway
 * @returns {Promise<Response>} with status 200
 * @throws {Refusal}
 */
export async function ask(path) {
  const secret = key.value;
  if (!/^[\x21-\x7e]*$/.test(secret)) throw new Refusal("this is not an API key of this proxy", 401);
  const headers = secret ? { authorization: `Bearer ${secret}` } : {};
  let response;
  try {
    const signal = AbortSignal.timeout(TIMEOUT);
    response = await fetch(path, { headers, signal, credentials: "omit", cache: "no-cache" });
  } catch {
    throw new Refusal("the proxy does not answer", 0);
  }
  if (response.ok) return response;
  const wait = Number(response.headers.get("retry-after")) || 0;
  throw new Refusal(await wordsOf(response), response.status, wait);
}

async function wordsOf(response) {
  try {
    const { error } = await response.json();
    return String(error.message);
  } catch {
    return `the proxy answered with status ${response.status}`;
  }
}
