// Runs where the Node package is installed; see sdks.py. Names come and go as the wire has them.

const readline = require("node:readline");
const { default: Client, ApiError } = require("magic-hour");

const OPTIONS = ["wait_for_completion", "download_outputs", "download_directory"];

const camelWord = (name) => name.replace(/_(.)/g, (_, letter) => letter.toUpperCase());
const snakeWord = (name) => name.replace(/[A-Z]/g, (letter) => "_" + letter.toLowerCase());

function renamed(value, word) {
  if (Array.isArray(value)) return value.map((item) => renamed(item, word));
  if (value === null || typeof value !== "object") return value ?? null;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [word(key), renamed(item, word)]));
}

function call(client, [method, { file, ...rest }]) {
  const path = camelWord(method).split(".");
  const name = path.pop();
  const resource = path.reduce((found, part) => found[part], client.v1);
  if (file !== undefined) return resource[name](file);
  const entries = Object.entries(rest);
  const request = Object.fromEntries(entries.filter(([key]) => !OPTIONS.includes(key)));
  const options = Object.fromEntries(entries.filter(([key]) => OPTIONS.includes(key)));
  return resource[name](renamed(request, camelWord), renamed(options, camelWord));
}

class StillWaiting extends Error {}

/** Give up on a call after so many seconds, so that one that never ends can be told of. */
function within(seconds, promise) {
  if (!seconds) return promise;
  const late = new Promise((_, reject) => {
    setTimeout(() => reject(new StillWaiting(`no end after ${seconds} s`)), seconds * 1000).unref();
  });
  return Promise.race([promise, late]);
}

async function refusal(response) {
  const body = await response.json().catch(() => null); // no JSON, or cut off
  return { status: response.status, body, headers: Object.fromEntries(response.headers) };
}

async function asJson({ value, reason }) {
  if (reason instanceof ApiError) return refusal(reason.response);
  if (reason) return { failure: String(reason.stack), type: reason.constructor.name };
  return { value: renamed(value, snakeWord) };
}

/** The resources with a `generate`. What it takes can't be seen: one object, of which it drops what it does not know. */
function generators() {
  const { v1 } = new Client({ token: "" });
  const names = Object.getOwnPropertyNames(Object.getPrototypeOf(v1)).filter((name) => v1[name]?.generate);
  return Object.fromEntries(names.map((name) => [snakeWord(name), null]));
}

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const question = JSON.parse(line);
    if (question.calls === undefined) {
      console.log(JSON.stringify(generators()));
      continue;
    }
    const { base_url: baseUrl, token, calls, timeout, patience } = question;
    const options = { baseUrl, ...(token && { token }), ...(timeout && { timeout: timeout * 1000 }) };
    const client = new Client(options);
    const outcomes = await Promise.allSettled(calls.map(async (one) => within(patience, call(client, one))));
    console.log(JSON.stringify(await Promise.all(outcomes.map(asJson))));
  }
})();
