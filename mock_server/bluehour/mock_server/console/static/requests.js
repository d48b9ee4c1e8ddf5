// Requests that the contract publishes, to be sent from here.
import { exchange } from "./api.js";

const TOKEN = "any-token";

let published;

const contractItself = () => (published ??= exchange("/openapi.json"));

/** An operation's request: its `method` and `url`, a `token` if it takes one, and its published `bodies`. */
export async function requestOf(operation) {
  const document = await contractItself();
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
    bodies: media ? examplesOf(document, media) : [],
  };
}

/** Send a request, whose `body` is text; return the answer as data, or throw `Refused`. */
export function send({ method, url, token, body }) {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  if (body) headers["Content-Type"] = "application/json";
  return exchange(url, { method, headers, body });
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

function examplesOf(document, media) {
  const examples = Object.values(media.examples ?? {}).map((one) => resolved(document, one).value);
  return [media.example, ...examples].filter((one) => one !== undefined);
}

function resolved(document, value) {
  if (!value?.$ref?.startsWith("#/")) return value;
  return value.$ref.slice(2).split("/").reduce((inner, key) => inner?.[key], document);
}
