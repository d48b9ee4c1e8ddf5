// What to do when nothing has called yet: a request to begin with, as the contract's own example has it.
import { firstCurl } from "./curl.js";
import { button, h } from "./dom.js";
import { codeBox } from "./json.js";
import { attempt, copy } from "./notices.js";
import { creates, isProxy, theContract } from "./state.js";

const TOKEN = "any-token";

/** What to send first: the cheapest create, or whatever the contract begins with. */
const firstRequest = once(async () => {
  const operation = creates()[0] ?? theContract().operations[0];
  if (!operation) return null;
  const document = await (await fetch("/openapi.json")).json();
  const item = document.paths?.[operation.path] ?? {};
  const declared = item[operation.method.toLowerCase()] ?? {};
  const parameters = [...(declared.parameters ?? []), ...(item.parameters ?? [])]
    .map((one) => resolved(document, one))
    .map((one) => ({ ...one, schema: resolved(document, one.schema) }));
  const media = resolved(document, declared.requestBody)?.content?.["application/json"];
  return {
    method: operation.method,
    url: location.origin + filled(operation.path, parameters),
    token: asksForToken(document, declared) ? TOKEN : null,
    body: media && exampleOf(document, media),
  };
});

function once(ask) {
  let answer;
  return () => (answer ??= ask());
}

function asksForToken(document, declared) {
  const schemes = document.components?.securitySchemes ?? {};
  const names = (declared.security ?? document.security ?? []).flatMap(Object.keys);
  return names.some((name) => resolved(document, schemes[name])?.scheme?.toLowerCase() === "bearer");
}

function filled(path, parameters) {
  const value = (one) => encodeURIComponent(one?.example ?? one?.schema?.example ?? one?.schema?.enum?.[0] ?? "1");
  const inPath = (name) => parameters.find((one) => one.in === "path" && one.name === name);
  const whole = path.replace(/\{([^{}]+)\}/g, (_, name) => value(inPath(name)));
  const inQuery = parameters.filter((one) => one.in === "query" && one.required);
  return inQuery.length ? `${whole}?${inQuery.map((one) => `${one.name}=${value(one)}`).join("&")}` : whole;
}

function exampleOf(document, media) {
  const examples = Object.values(media.examples ?? {}).map((one) => resolved(document, one).value);
  const all = [media.example, ...examples].filter((one) => one !== undefined);
  return all.sort((a, b) => JSON.stringify(a).length - JSON.stringify(b).length)[0];
}

function resolved(document, value) {
  if (!value?.$ref?.startsWith("#/")) return value;
  return value.$ref.slice(2).split("/").reduce((inner, key) => inner?.[key], document);
}

async function send({ method, url, token, body }) {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  if (body) headers["Content-Type"] = "application/json";
  await fetch(url, { method, headers, body: body && JSON.stringify(body) });
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
      button("Copy", () => copy(command, "the command"))),
  ];
}
