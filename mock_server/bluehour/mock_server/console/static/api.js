// The control API, as control.yaml has it: every read and every change of the console goes through here.
import { released } from "./dom.js";

/** The server's no, in its own words. */
export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function call(method, path, body) {
  const init = { method, headers: { Accept: "application/json" }, cache: "no-store" };
  if (body !== undefined) {
    init.headers["Content-Type"] = "application/json";
    init.body = JSON.stringify(body);
  }
  try {
    return await exchange(`/_mock${path}`, init);
  } finally {
    await released(); // whatever the answer is, it is shown at once
  }
}

/** Send a request, and return the answer's JSON, or throw `Refused`. */
export async function exchange(url, init) {
  let response;
  try {
    response = await fetch(url, init);
  } catch {
    throw new Refused(0, "Bluehour does not answer. Is it still running?");
  }
  const text = await response.text();
  const answer = parsed(text);
  if (!response.ok) throw new Refused(response.status, answer?.message ?? (text || `Status ${response.status}`));
  return answer;
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const at = (collection, id) => `/${collection}/${encodeURIComponent(id)}`;

export const api = {
  state: () => call("GET", "/state"),
  reset: () => call("POST", "/reset", {}),

  setClock: (change) => call("POST", "/clock", change),

  accounts: async () => (await call("GET", "/accounts")).accounts,
  account: (id) => call("GET", at("accounts", id)),
  openAccount: (account) => call("POST", "/accounts", account),
  changeAccount: (id, change) => call("PATCH", at("accounts", id), change),

  items: async () => (await call("GET", "/items?limit=100")).items,

  projects: async () => (await call("GET", "/projects?limit=100")).projects,
  project: (id) => call("GET", at("projects", id)),
  endProject: (id, outcome) => call("POST", `${at("projects", id)}/outcome`, { outcome }),

  rules: async () => (await call("GET", "/rules")).rules,
  addRule: (rule) => call("POST", "/rules", rule),
  switchRule: (id, enabled) => call("PATCH", at("rules", id), { enabled }),
  removeRule: (id) => call("DELETE", at("rules", id)),
  clearRules: () => call("DELETE", "/rules"),

  webhooks: () => call("GET", "/webhooks"),
  addWebhook: (webhook) => call("POST", "/webhooks", webhook),
  switchWebhook: (id, enabled) => call("PATCH", at("webhooks", id), { enabled }),
  removeWebhook: (id) => call("DELETE", at("webhooks", id)),
  deliveries: async () => (await call("GET", "/deliveries?limit=100")).deliveries,
  resend: (id) => call("POST", `${at("deliveries", id)}/resend`),

  journal: (limit) => call("GET", `/journal?limit=${limit}`),
  entry: (id) => call("GET", at("journal", id)),
  clearJournal: () => call("DELETE", "/journal"),
};
