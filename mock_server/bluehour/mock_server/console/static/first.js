// What to do when nothing has called yet: a request to begin with, as the contract's own example has it.
import { choose } from "./create.js";
import { firstCurl } from "./curl.js";
import { button, h } from "./dom.js";
import { codeBox } from "./json.js";
import { attempt, copy } from "./notices.js";
import { requestOf, send } from "./requests.js";
import { cheapestCreate, creates, isProxy, theContract } from "./state.js";

/** What to send first: the cheapest create, or whatever the contract begins with. */
async function firstRequest() {
  const operation = cheapestCreate() ?? theContract().operations[0];
  if (!operation) return null;
  const { bodies, ...request } = await requestOf(operation);
  const [shortest] = bodies.map((body) => JSON.stringify(body)).sort((a, b) => a.length - b.length);
  return { ...request, body: shortest };
}

/** The empty journal's advice. */
export async function firstSteps(hasCalled) {
  const title = h("h3", {}, hasCalled ? "The journal is empty" : "Nothing has called yet");
  const base = h("code", {}, location.origin);
  if (isProxy()) {
    return [title, h("p", {}, "Point your app at ", base, " in place of the server. Each request shows up here, "
      + "with what is wrong in it or in its answer.")];
  }
  const request = await firstRequest().catch(() => null);
  const key = request?.token ? ", with any bearer token" : "";
  const start = h("p", {}, "Point your app at ", base, `${key}. Each request shows up here as it comes.`);
  if (!request) return [title, start];
  const command = firstCurl(request);
  return [
    title,
    start,
    h("p", {}, "Or begin with this:"),
    codeBox("A first request, as curl", command),
    h("div", { class: "actions" },
      button("Send it now", () => attempt(() => send(request)), { class: "button primary" }),
      button("Copy", () => copy(command, "the command")),
      creates().length > 1 && button("Choose another", choose)),
  ];
}
