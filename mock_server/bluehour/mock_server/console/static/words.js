// A rule in words, and the words for what a rule can do.
import { numberOf, ordinal, plural } from "./format.js";
import { operationName } from "./state.js";

/** Every fault of control.yaml, as somebody would ask for it. */
export const FAULTS = {
  drop: "lose the connection",
  cut: "lose the connection in the middle of the body",
  malformed_json: "send only half of the JSON",
  empty_body: "send no body",
  html: "send a proxy's 502 page",
  wrong_content_type: "say that it is text/html",
  no_content_type: "don't say what it is",
  slow_drip: "send it byte by byte",
};

/** What happens: `Answer 429, Retry-After 2 s`. */
export function effectOf({ answer, delay, fault, job, carry_out: carryOut, drip_seconds: drip }) {
  const parts = [];
  if (delay !== undefined) parts.push(`wait ${numberOf(delay)} s`);
  if (answer) {
    const after = answer.retry_after === undefined ? "" : `, Retry-After ${numberOf(answer.retry_after)} s`;
    parts.push(`answer ${answer.status}${after}${carryOut ? " after it is carried out" : ""}`);
  }
  if (job) parts.push(`end the job in ${job}`);
  if (fault) {
    const over = fault === "slow_drip" && drip !== undefined ? `, over ${numberOf(drip)} s` : "";
    const after = fault === "drop" ? " after it is carried out" : "";
    parts.push((FAULTS[fault] ?? fault) + over + (carryOut === false ? " before anything is carried out" : after));
  }
  const text = parts.join(", then ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** When it does: `on AI Face Editor, the 3rd call, once`. */
export function conditionOf({ match = {}, times }) {
  const { operation, token, body, nth, probability } = match;
  const parts = [operation ? `on ${operationName(operation)}` : "on any request"];
  if (token) parts.push(`token ${token}`);
  for (const [path, value] of Object.entries(body ?? {})) parts.push(`${path} is ${JSON.stringify(value)}`);
  if (nth !== undefined) parts.push(`the ${[nth].flat().map(ordinal).join(", ")} call`);
  if (probability !== undefined) parts.push(`${numberOf(probability * 100)} % of calls`);
  parts.push(times === undefined ? "every time" : times === 1 ? "once" : `at most ${plural(times, "time")}`);
  return parts.join(", ");
}
