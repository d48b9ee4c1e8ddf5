// What people want to force most, one click each.
import { button, byId, fill } from "./dom.js";
import { api } from "./api.js";
import { attempt } from "./notices.js";
import { requestOptions } from "./operations.js";
import { cheapestCreate, onContract } from "./state.js";

const form = byId("presets-form");

/** Their names are what the journal calls them. */
function presets(contract) {
  const noFace = contract.job_errors[0];
  return [
    { name: "429, Retry-After 2", answer: { status: 429, retry_after: 2 } },
    { name: "Connection lost after the charge", fault: "drop" },
    noFace && { name: noFace === "no_source_face" ? "No face found" : `Job ends in ${noFace}`, job: noFace },
    { name: "502 page", fault: "html" },
    { name: "Slow: 3 s", delay: 3 },
    { name: "Out of credits: 402", answer: { status: 402 } },
  ].filter(Boolean);
}

export function start() {
  onContract((contract) => {
    requestOptions(byId("presets-operation"), contract, "any request", cheapestCreate()?.id);
    fill(byId("presets"), presets(contract).map((preset) => button(preset.name, () => add(preset))));
  });
}

function add(preset) {
  const { times, operation } = form.elements;
  const rule = { ...preset };
  if (operation.value) rule.match = { operation: operation.value };
  if (times.value) rule.times = 1;
  return attempt(() => api.addRule(rule), `On: ${preset.name}`);
}
