// The form for a new rule: fields for the common cases, JSON for everything.
import { api } from "./api.js";
import { byId, fill, h, options } from "./dom.js";
import { onSubmit, say } from "./notices.js";
import { requestOptions } from "./operations.js";
import { onContract } from "./state.js";
import { FAULTS } from "./words.js";

const NUMBERS = "\\s*\\d+(\\s*,\\s*\\d+)*\\s*";

const form = byId("rule-form");

export function start() {
  build();
  form.addEventListener("input", arrange);
  form.elements.mode.forEach((radio) => radio.addEventListener("change", () => {
    if (mode() === "json") form.elements.json.value = JSON.stringify(ruleOf(form.elements), null, 2);
  }));
  onContract((contract) => {
    const { operation, job } = form.elements;
    requestOptions(operation, contract, "any request");
    const ends = [...contract.job_errors, "complete", "canceled", "stuck"];
    options(job, ends.map((one) => [one, one]));
  });
  onSubmit(form, async () => {
    await api.addRule(mode() === "json" ? JSON.parse(form.elements.json.value) : ruleOf(form.elements));
    form.reset();
    arrange();
    byId("rule-new").open = false;
    byId("rule-new").querySelector("summary").focus();
    say("The rule is on");
  });
  arrange();
}

const mode = () => form.elements.mode.value;

function build() {
  const radio = (name, value, text, checked) =>
    h("label", { class: "tick" }, h("input", { type: "radio", name, value, checked }), ` ${text}`);
  const number = (name, attributes) => h("input", { name, type: "number", step: "any", min: "0", ...attributes });
  const text = (name, placeholder, attributes) => h("input", { name, placeholder, spellcheck: "false", ...attributes });
  const faults = Object.entries(FAULTS).map(([value, words]) => h("option", { value }, words));
  const label = (text, field, kind) => h("label", { class: kind }, `${text} `, field);
  fill(form,
    h("fieldset", { class: "segments" }, h("legend", { class: "unseen" }, "How"),
      radio("mode", "form", "Fill in", true), radio("mode", "json", "Write JSON")),
    h("div", { "data-mode": "form" },
      h("fieldset", { class: "fields" }, h("legend", {}, "When a request fits"),
        label("Operation", h("select", { name: "operation" }), "wide"),
        label("Token", text("token", "any")),
        label("Which calls", text("nth", "all, or 3, or 1, 2", { pattern: NUMBERS, title: "Numbers from 1, with commas" })),
        label("At most, times", number("times", { min: "1", step: "1", placeholder: "no limit" })),
        label("Probability", number("probability", { max: "1", placeholder: "1" }))),
      h("fieldset", { class: "fields" }, h("legend", {}, "This happens"),
        h("div", { class: "segments wide" },
          radio("effect", "answer", "Answer", true), radio("effect", "fault", "Fault"),
          radio("effect", "job", "Job's end"), radio("effect", "delay", "Only wait")),
        h("div", { class: "fields wide", "data-effect": "answer" },
          label("Status", number("status", { min: "200", max: "599", step: "1", value: "429", required: true })),
          label("Retry-After, seconds", number("retry_after", { step: "1", placeholder: "none" })),
          label("Body", h("textarea", { name: "body", rows: "2", placeholder: "what the contract shows" }), "wide"),
          h("label", { class: "tick wide" }, h("input", { type: "checkbox", name: "carried_out" }),
            " After the request is carried out, and charged")),
        h("div", { class: "fields wide", "data-effect": "fault" },
          label("Fault", h("select", { name: "fault" }, faults), "wide"),
          h("label", { class: "tick wide" }, h("input", { type: "checkbox", name: "untouched" }),
            " Before the request is carried out, so that nothing is charged")),
        h("div", { class: "fields wide", "data-effect": "job" },
          label("The job ends in", h("select", { name: "job" }), "wide")),
        label("Wait first, seconds", number("delay", { max: "3600", placeholder: "0" })),
        label("Name", text("name", "what the journal calls it")))),
    h("div", { "data-mode": "json" },
      label("Rule", h("textarea", { name: "json", rows: "12", spellcheck: "false", required: true }), "stacked"),
      h("p", { class: "quiet small" }, "As in a scenario file: match, times, answer, delay, fault, job.")),
    h("p", { class: "form-error", role: "alert", hidden: true }),
    h("div", { class: "actions" }, h("button", { class: "button primary" }, "Add rule")));
}

// What is not asked for is neither shown nor checked.
function arrange() {
  for (const part of form.querySelectorAll("[data-mode], [data-effect]")) {
    part.hidden = part.dataset.mode ? part.dataset.mode !== mode() : part.dataset.effect !== form.elements.effect.value;
  }
  for (const field of form.elements) {
    if (field.name !== "mode" && field.tagName !== "FIELDSET") field.disabled = field.closest("[hidden]") !== null;
  }
  form.elements.delay.required = form.elements.effect.value === "delay";
}

/** The rule that the fields describe. */
function ruleOf(fields) {
  const { name, operation, token, nth, times, probability, delay, effect } = fields;
  const { status, retry_after: retryAfter, body, carried_out: carriedOut, fault, untouched, job } = fields;
  const match = {};
  if (operation.value) match.operation = operation.value;
  if (token.value) match.token = token.value;
  if (nth.value.trim()) {
    const numbers = nth.value.split(",").map(Number);
    match.nth = numbers.length === 1 ? numbers[0] : numbers;
  }
  if (probability.value) match.probability = Number(probability.value);
  const rule = {};
  if (name.value) rule.name = name.value;
  if (Object.keys(match).length) rule.match = match;
  if (times.value) rule.times = Number(times.value);
  if (effect.value === "answer") {
    rule.answer = { status: Number(status.value) };
    if (retryAfter.value) rule.answer.retry_after = Number(retryAfter.value);
    if (body.value.trim()) rule.answer.body = jsonOrText(body.value);
    if (carriedOut.checked) rule.carry_out = true;
  }
  if (effect.value === "fault") {
    rule.fault = fault.value;
    if (untouched.checked) rule.carry_out = false;
  }
  if (effect.value === "job") rule.job = job.value;
  if (delay.value) rule.delay = Number(delay.value);
  return rule;
}

function jsonOrText(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
