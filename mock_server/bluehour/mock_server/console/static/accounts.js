// Accounts: what each has left, its plan, and where its credits went.
import { api } from "./api.js";
import { byId, fill, h, keyed, options } from "./dom.js";
import { momentOf, numberOf, signed } from "./format.js";
import { placeOf, projectLink } from "./links.js";
import { coalesced, onChanged, onEntry } from "./live.js";
import { attempt, complain, onSubmit, say } from "./notices.js";
import { onState } from "./state.js";
import { onView, whileShown } from "./view.js";

const list = byId("accounts");
let plans = [];
let wanted = null;

export function start() {
  const refresh = coalesced(load);
  const show = whileShown("accounts", refresh);
  onChanged(["accounts", "projects", "clock"], show);
  onEntry((entry) => entry.account && show());
  onView((view, id) => {
    wanted = view === "accounts" && id ? id : null;
    if (wanted) refresh();
  });
  onState(({ contract }) => {
    if (contract.plans.join() === plans.join()) return;
    plans = contract.plans;
    options(byId("account-plan"), [["", "as it is"], ...plans.map((plan) => [plan, plan])]);
  });
  const form = byId("account-form");
  onSubmit(form, async () => {
    const { token, credits, plan } = form.elements;
    const account = { token: token.value };
    if (credits.value) account.credits = Number(credits.value);
    if (plan.value) account.plan = plan.value;
    const { id } = await api.openAccount(account);
    form.reset();
    say("Saved");
    location.hash = placeOf("accounts", id);
  });
}

async function load() {
  let accounts;
  try {
    accounts = await api.accounts();
  } catch (error) {
    return complain(error);
  }
  // The one that was opened last is what somebody is working on.
  keyed(list, accounts.reverse(), ({ id }) => id, card);
  fill(byId("accounts-empty"), !accounts.length && h("div", { class: "empty" },
    h("h3", {}, "Nobody has called yet"),
    h("p", {}, "Every bearer token is an account. It opens with its first call, or with the form below.")));
  for (const element of list.children) element.classList.toggle("wanted", element.dataset.id === wanted);
  list.querySelector(".wanted")?.scrollIntoView({ block: "nearest" });
}

function card({ id, token }) {
  const left = h("strong", { class: "balance" });
  const credits = h("input", { name: "credits", type: "number", min: "0", step: "1", required: true });
  const plan = h("select", { name: "plan" });
  const save = h("button", { class: "button", disabled: true }, "Save");
  const form = h("form", { class: "fields account", autocomplete: "off" },
    h("label", {}, "Credits ", credits), h("label", {}, "Plan ", plan), h("div", { class: "actions" }, save),
    h("p", { class: "form-error", role: "alert", hidden: true }));
  const ledger = h("div", { class: "scroll" });
  const details = h("details", {}, h("summary", {}, "Ledger"), ledger);
  details.addEventListener("toggle", () => details.open && showLedger(id, ledger));
  let account;
  const dirty = () => Number(credits.value) !== account.credits || plan.value !== account.plan;
  form.addEventListener("input", () => (save.disabled = !dirty()));
  onSubmit(form, async () => {
    const change = {};
    if (Number(credits.value) !== account.credits) change.credits = Number(credits.value);
    if (plan.value !== account.plan) change.plan = plan.value;
    const changed = await api.changeAccount(id, change);
    save.disabled = true;
    update(changed);
    say("Saved");
  });
  function update(now) {
    const edited = account && dirty();
    account = now;
    left.textContent = numberOf(now.credits);
    // What somebody is typing stays.
    if (!edited) {
      credits.value = now.credits;
      options(plan, [...new Set([...plans, now.plan])].map((one) => [one, one]), now.plan);
    }
    save.disabled = !dirty();
    if (details.open) showLedger(id, ledger);
  }
  const name = token ? h("code", {}, token) : "opened before the start";
  const element = h("li", { class: "card", "data-id": id },
    h("div", { class: "card-head" },
      h("h3", {}, name, " ", h("code", { class: "aside id" }, id)),
      h("span", { class: "quiet" }, left, " credits")),
    form, details);
  return { element, update };
}

function showLedger(id, place) {
  return attempt(async () => {
    const { ledger } = await api.account(id);
    const heads = ["Time", "For", "Amount", "Balance", "Project"].map((name) => h("th", { scope: "col" }, name));
    const lines = [...ledger].reverse().map(({ at, amount, reason, project, balance }) => h("tr", {},
      h("td", {}, h("time", { datetime: at }, momentOf(at))),
      h("td", {}, reason),
      h("td", { class: amount > 0 ? "gain" : null }, signed(amount) || "0"),
      h("td", {}, numberOf(balance)),
      h("td", {}, project ? projectLink(project) : "–")));
    fill(place, h("table", { class: "ledger" }, h("thead", {}, h("tr", {}, heads)), h("tbody", {}, lines)));
  });
}
