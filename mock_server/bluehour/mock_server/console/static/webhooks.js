// The registered webhooks, and what became of each delivery.
import { api } from "./api.js";
import { button, byId, fill, h, keyed, setSwitch, switchFor, textButton } from "./dom.js";
import { headerTable } from "./entry.js";
import { momentOf, plural } from "./format.js";
import { codeBox } from "./json.js";
import { projectLink } from "./links.js";
import { coalesced, onChanged } from "./live.js";
import { attempt, complain, copy, onSubmit } from "./notices.js";
import { onState } from "./state.js";
import { focusHeading, whileShown } from "./view.js";

const reload = coalesced(load);

export function start() {
  onChanged(["webhooks", "clock"], whileShown("webhooks", reload));
  let known = "";
  onState(({ contract: { events } }) => {
    if (events.join() === known) return;
    known = events.join();
    fill(byId("webhook-events"), events.map((event) => h("label", { class: "tick" },
      h("input", { type: "checkbox", name: "events", value: event }), " ", h("code", {}, event))));
  });
  const form = byId("webhook-form");
  onSubmit(form, async () => {
    const { url, secret } = form.elements;
    const webhook = { url: url.value };
    if (secret.value) webhook.secret = secret.value;
    const events = [...form.querySelectorAll("[name=events]:checked")].map((box) => box.value);
    if (events.length) webhook.events = events;
    showSecret(await api.addWebhook(webhook));
    form.reset();
    byId("webhook-new").open = false;
    reload();
  });
}

function showSecret({ url, secret }) {
  const box = h("div", { class: "callout good", tabindex: "-1" },
    h("h3", {}, "Its secret, this once"),
    h("p", {}, "Deliveries to ", h("code", {}, url), " are signed with"),
    h("p", {}, h("code", { class: "secret" }, secret)),
    h("div", { class: "actions" },
      button("Copy", () => copy(secret, "the secret")),
      button("Done", () => {
        fill(byId("webhook-secret"));
        focusHeading("webhooks");
      })));
  fill(byId("webhook-secret"), box);
  box.focus();
}

async function load() {
  try {
    const [{ webhooks, dropped, forgotten }, deliveries] = await Promise.all([api.webhooks(), api.deliveries()]);
    keyed(byId("webhooks"), webhooks, ({ id }) => id, webhookCard);
    keyed(byId("deliveries"), deliveries, ({ id }) => id, deliveryCard);
    fill(byId("webhooks-empty"), !webhooks.length && h("div", { class: "empty" },
      h("h3", {}, "No webhook is registered"),
      h("p", {}, "Add the address at which your app listens. It gets signed events, with the real service's retries.")));
    fill(byId("deliveries-dropped"), dropped > 0 && h("p", { class: "form-error" },
      `${plural(dropped, "delivery was", "deliveries were")} dropped: too many were waiting, or the webhook was gone at a restart.`));
    fill(byId("deliveries-forgotten"), forgotten > 0 && h("p", { class: "quiet small" },
      `${plural(forgotten, "delivery", "deliveries")} before these: over, and shown no more.`));
    fill(byId("deliveries-empty"), !deliveries.length && h("p", { class: "quiet" }, "None yet."));
  } catch (error) {
    complain(error);
  }
}

function webhookCard({ id, url, secret, events }) {
  const toggle = switchFor(`Webhook ${url}`, async (on) => {
    await attempt(async () => setSwitch(toggle, (await api.switchWebhook(id, on)).enabled));
    reload();
  });
  const remove = async () => {
    if (await attempt(() => api.removeWebhook(id), "The webhook is gone")) focusHeading("webhooks");
  };
  const element = h("li", { class: "card rule" },
    h("div", { class: "rule-head" }, toggle,
      h("div", {}, h("h3", {}, h("code", {}, url)),
        h("p", { class: "quiet small" }, events.length ? events.join(", ") : "all events"),
        h("p", { class: "quiet small" }, "Secret ", h("code", {}, secret)))),
    h("div", { class: "rule-foot" }, h("span", { class: "grow" }),
      textButton("Delete", remove, { class: "link danger", "aria-label": `Delete webhook ${url}` })));
  return {
    element,
    update({ enabled }) {
      setSwitch(toggle, enabled);
      element.classList.toggle("off", !enabled);
    },
  };
}

const KINDS = { delivered: "good", failed: "bad", pending: "running" };

function deliveryCard({ id, url, event, project, body }) {
  const state = h("span", { class: "tag" });
  const problem = h("p", { class: "small" });
  const next = h("span", {});
  const attempts = h("ol", { class: "attempts" });
  const resend = button("Resend", () => attempt(() => api.resend(id), "Sent once more").then(reload));
  const element = h("li", { class: "card delivery" },
    h("div", { class: "card-head" }, h("h3", {}, h("code", {}, event)), state),
    h("p", { class: "quiet small" }, "to ", h("code", {}, url), " about ", projectLink(project)),
    problem,
    attempts,
    h("div", { class: "rule-foot" }, next, h("span", { class: "grow" }), resend),
    h("details", {}, h("summary", {}, "Body"), codeBox("The delivery's body", body)));
  return {
    element,
    update({ state: now, problem: why, next_at: at, attempts: made }) {
      problem.textContent = why ?? "";
      state.textContent = now;
      state.className = `tag ${KINDS[now] ?? ""}`;
      next.textContent = at ? `Next try ${momentOf(at)}` : plural(made.length, "try", "tries");
      keyed(attempts, made.map((one, index) => ({ ...one, index })), ({ index }) => index, attemptRow);
    },
  };
}

function attemptRow({ at, headers, status, problem, ms }) {
  const good = status !== null && !problem;
  return {
    element: h("li", {},
      h("details", {}, h("summary", {},
        h("time", { datetime: at }, momentOf(at)), " ",
        h("span", { class: good ? "tag good" : "tag bad" }, status ?? "no answer"), " ",
        h("span", { class: "quiet small" }, problem ?? `${Math.round(ms)} ms`)),
      headerTable(Object.entries(headers)))),
  };
}
