// The head of the page: what is mocked or judged, whether it is there, how much there is of everything, and the reset.
import { api } from "./api.js";
import { byId } from "./dom.js";
import { numberOf, shortSpanOf } from "./format.js";
import { onConnection } from "./live.js";
import { attempt } from "./notices.js";
import { onState } from "./state.js";

const CONNECTION = { live: "Live", lost: "Reconnecting …", refused: "Refused" };

export function start() {
  onState(show);
  onConnection((state) => {
    const place = byId("connection");
    if (place.dataset.state === state) return;
    place.dataset.state = state;
    place.textContent = CONNECTION[state];
  });
  const dialog = byId("reset-dialog");
  byId("reset").addEventListener("click", () => {
    dialog.returnValue = "keep";
    dialog.showModal();
  });
  dialog.addEventListener("close", () => {
    if (dialog.returnValue === "reset") attempt(api.reset, "The mock begins anew");
  });
}

function showLink(id, target) {
  byId(id).hidden = !target;
  if (target) byId(id).href = target;
}

function aheadOf({ ahead }) {
  if (Math.abs(ahead) < 1) return "";
  return `${ahead > 0 ? "+" : "−"}${shortSpanOf(ahead)}`;
}

function show({ title, version, mode, settings, clock, rules, projects, items, accounts, webhooks, links, contract }) {
  byId("title").textContent = mode === "proxy"
    ? `${version} judges ${settings.upstream} as ${title}`
    : `${version} is ${title}`;
  document.title = `${title} – Bluehour ${mode === "proxy" ? "proxy" : "console"}`;
  showLink("docs-link", links.docs);
  showLink("openapi-link", links.openapi);
  for (const view of ["projects", "items"]) document.querySelector(`.views [data-view=${view}]`).hidden = !contract[view];
  for (const [name, count] of Object.entries({ rules, projects, items, accounts, webhooks })) {
    document.querySelector(`[data-count=${name}]`).textContent = count ? numberOf(count) : "";
  }
  document.querySelector("[data-count=clock]").textContent = clock.frozen ? "frozen" : aheadOf(clock);
}
