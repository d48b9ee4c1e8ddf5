// What is running, in numbers, and what the contract lets a person choose from.
import { api } from "./api.js";
import { coalesced, onChanged, onConnection, onEntry } from "./live.js";
import { banner, complain } from "./notices.js";

const listeners = [];
let contract = { operations: [], job_errors: [], plans: [], events: [] };
let mode = "mock";

/** Call `listener(state)` with every news. */
export const onState = (listener) => listeners.push(listener);

/** Call `listener(contract)` once it is known, and whenever it is another one. */
export function onContract(listener) {
  let known;
  onState(() => {
    const now = JSON.stringify(contract);
    if (now === known) return;
    known = now;
    listener(contract);
  });
}

export const theContract = () => contract;

/** Whether this is a proxy before another server: it shows what passes, and can change nothing. */
export const isProxy = () => mode === "proxy";

/** The operations that make a project. */
export const creates = () => contract.operations.filter((one) => one.creates);

/** The cheapest of those that cost something. */
export const cheapestCreate = () => creates().filter((one) => one.credits).sort((a, b) => a.credits - b.credits)[0];

/** What to call an operation: its summary, if there is such an operation. */
export function operationName(id) {
  const known = contract.operations.find((one) => one.id === id);
  return known?.summary || id;
}

/** Ask once, now. */
export async function load() {
  try {
    const state = await api.state();
    contract = state.contract;
    document.body.dataset.mode = mode = state.mode;
    banner(null);
    for (const listener of listeners) listener(state);
  } catch (error) {
    complain(error);
  }
}

const refresh = coalesced(load, 500);

onChanged(["accounts", "projects", "rules", "webhooks", "clock", "contract"], refresh);
onEntry(refresh);
onConnection((state) => state === "refused" && refresh()); // it says why
