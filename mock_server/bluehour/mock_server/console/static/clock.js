// The mock's clock: what time it is there, and how to stop and advance it.
import { api } from "./api.js";
import { button, byId, fill } from "./dom.js";
import { dayOf, spanOf, timeOf } from "./format.js";
import { attempt, onSubmit, say } from "./notices.js";
import { onState } from "./state.js";

const STEPS = [[1, "+1 s"], [60, "+1 min"], [3600, "+1 h"], [86400, "+1 day"]];
const NOTABLE = 1; // seconds; less is the way from the server to here

let clock = null;
let shownAt = 0;

export function start() {
  onState((state) => show(state.clock));
  byId("clock-freeze").addEventListener("click", () => change({ frozen: !clock?.frozen }));
  fill(byId("clock-steps"), STEPS.map(([seconds, text]) => button(text, () => attempt(() => advance(seconds)))));
  const form = byId("clock-form");
  onSubmit(form, () => advance(Number(form.elements.amount.value) * Number(form.elements.unit.value)));
  setInterval(() => document.hidden || tick(), 250);
}

const change = (what) => attempt(async () => show(await api.setClock(what)));

async function advance(seconds) {
  show(await api.setClock({ advance: seconds }));
  say(`Advanced by ${spanOf(seconds)}`);
}

function show(now) {
  clock = now;
  shownAt = performance.now();
  const state = byId("clock-state");
  state.textContent = clock.frozen ? "frozen" : "running";
  state.className = `tag ${clock.frozen ? "running" : "good"}`;
  byId("clock-freeze").textContent = clock.frozen ? "Let it run" : "Freeze";
  const ahead = byId("clock-ahead");
  ahead.hidden = Math.abs(clock.ahead) < NOTABLE;
  ahead.textContent = `It is ${spanOf(clock.ahead)} ${clock.ahead > 0 ? "ahead of" : "behind"} the system's clock.`;
  tick();
}

function tick() {
  if (!clock) return;
  const now = clock.epoch * 1000 + (clock.frozen ? 0 : performance.now() - shownAt);
  const time = byId("clock-time");
  const text = timeOf(now);
  if (time.textContent === text) return;
  time.textContent = text;
  time.dateTime = new Date(now).toISOString();
  byId("clock-date").textContent = dayOf(now);
}
