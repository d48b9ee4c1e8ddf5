// The journal: a row per request, the newest on top, as they come.
import { api } from "./api.js";
import { button, byId, fill, h, released } from "./dom.js";
import { firstSteps } from "./first.js";
import { millisecondsOf, numberOf, plural, signed, timeOf } from "./format.js";
import { coalesced, onChanged, onEntry } from "./live.js";
import { attempt, complain } from "./notices.js";
import { requestOptions } from "./operations.js";
import { onContract, onState } from "./state.js";
import { onView, shown } from "./view.js";

const MOST_ROWS = 500;

const entries = new Map(); // by id, oldest first; at most MOST_ROWS
const rows = new Map(); // the row of each entry that is shown, by id; polls share one
let recorded = 0;
let emptied = 0; // times
let paused = false;
let missed = 0;
let waiting = [];
let selected = null;
let hasCalled = false;
let isKept = true;

const body = byId("journal-rows");
const filters = byId("journal-filters");

export const entryOf = (id) => entries.get(id);

export function start() {
  onEntry(take);
  onChanged(["journal"], () => {
    // Emptied, it counts from 1 again: what comes from now on is new, whatever its number.
    emptied += 1;
    entries.clear();
    waiting = [];
    refresh();
  });
  onView((view, id) => select(view === "entry" ? Number(id) : null));
  onContract((contract) => requestOptions(filters.elements.operation, contract, "Any operation"));
  onState(({ accounts, settings }) => {
    if (hasCalled === accounts > 0 && isKept === (settings.journal !== 0)) return;
    hasCalled = accounts > 0;
    isKept = settings.journal !== 0;
    if (!entries.size) showEmpty();
  });
  filters.addEventListener("input", showAll);
  filters.addEventListener("submit", (event) => event.preventDefault());
  body.addEventListener("click", (event) => {
    const row = event.target.closest("tr");
    if (row && getSelection().isCollapsed) open(Number(row.dataset.id));
  });
  body.addEventListener("keydown", onKey);
  byId("journal-pause").addEventListener("click", () => pause(!paused));
  byId("journal-clear").addEventListener("click", () => attempt(api.clearJournal, "The journal is empty"));
}

/** Read everything anew. */
export const refresh = coalesced(reload);

async function reload() {
  const before = emptied;
  let answer;
  try {
    answer = await api.journal(MOST_ROWS);
  } catch (error) {
    complain(error);
    return;
  }
  if (emptied !== before) return; // what was read is gone, and it is read once more
  const meanwhile = [...entries.values()];
  entries.clear();
  missed = 0;
  for (const entry of [...answer.entries, ...meanwhile]) entries.set(entry.id, entry);
  recorded = Math.max(answer.recorded, ...entries.keys());
  showAll();
}

// Under load entries come faster than anybody reads; they are shown once per frame.
function take(entry) {
  if (entries.has(entry.id)) return;
  recorded += 1;
  if (paused) {
    missed += 1;
    showCount();
    return;
  }
  if (!waiting.length) setTimeout(showWaiting, 16);
  waiting.push(entry);
  if (waiting.length > MOST_ROWS) waiting.shift();
}

async function showWaiting() {
  await released();
  // A reload may have brought them meanwhile.
  const now = waiting.filter(({ id }) => !entries.has(id));
  waiting = [];
  for (const entry of now) {
    entries.set(entry.id, entry);
    if (fits(entry)) add(entry);
  }
  for (const id of [...entries.keys()].slice(0, -MOST_ROWS)) {
    entries.delete(id);
    const row = rows.get(id);
    if (row && Number(row.dataset.id) === id) row.remove();
    rows.delete(id);
  }
  showFrame();
}

function showAll() {
  const focused = body.contains(document.activeElement) && document.activeElement.closest("tr");
  rows.clear();
  fill(body);
  for (const entry of entries.values()) if (fits(entry)) add(entry);
  if (focused) focusRow(Number(focused.dataset.id));
  showFrame();
}

function showFrame() {
  showCount();
  mark();
  byId("journal-table").hidden = !rows.size;
  if (rows.size) fill(byId("journal-empty"));
  else showEmpty();
}

function showCount() {
  const more = missed ? `, ${numberOf(missed)} new while paused` : "";
  byId("journal-count").textContent = entries.size ? counted() + more : more;
}

function counted() {
  if (rows.size < entries.size) return `${numberOf(rows.size)} of ${plural(entries.size, "request")}`;
  const all = plural(Math.max(recorded, entries.size), "request");
  return entries.size === MOST_ROWS ? `the last ${entries.size} of ${all}` : plural(entries.size, "request");
}

async function showEmpty() {
  const place = byId("journal-empty");
  if (entries.size) {
    fill(place, h("div", { class: "empty" }, h("h3", {}, "No request fits the filter"),
      button("Show all", clearFilters)));
    return;
  }
  if (!isKept) {
    fill(place, h("div", { class: "empty" }, h("h3", {}, "No journal is kept"),
      h("p", {}, "It was started with a journal of 0 requests.")));
    return;
  }
  const steps = await firstSteps(hasCalled);
  if (!rows.size) fill(place, h("div", { class: "empty" }, steps));
}

function clearFilters() {
  filters.reset();
  showAll();
  filters.elements.text.focus();
}

/** Show only what has this text in it. */
export function filterBy(text) {
  filters.reset();
  filters.elements.text.value = text;
  showAll();
  location.hash = "#journal";
}

function fits(entry) {
  const { text, operation, status, faulty, warned, broken } = filters.elements;
  if (operation.value && operation.value !== entry.operation) return false;
  if (faulty.checked && !entry.faults.length) return false;
  if (warned.checked && !entry.warnings.length) return false;
  if (broken.checked && !entry.broken.length) return false;
  if (status.value === "forced" && !entry.forced) return false;
  if (Number(status.value) && Number(status.value) !== Math.floor(entry.response.status / 100)) return false;
  const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return true;
  const known = JSON.stringify(entry).toLowerCase();
  return words.every((word) => known.includes(word));
}

// --- rows ---------------------------------------------------------------------------------------------------

function add(entry) {
  const newest = body.firstElementChild;
  if (newest && filters.elements.fold.checked && isRepeat(entries.get(Number(newest.dataset.id)), entry)) {
    fold(newest, entry);
  } else {
    body.prepend(rowOf(entry));
  }
}

/** Whether an entry is nothing but the poll before once more. */
function isRepeat(before, entry) {
  return before && isPlainRead(before) && isPlainRead(entry) && before.operation === entry.operation
    && before.request.path === entry.request.path && before.request.query === entry.request.query
    && before.response.status === entry.response.status;
}

const isPlainRead = ({ request, faults, warnings, broken, remarks, forced }) =>
  request.method === "GET" && ![faults, warnings, broken, remarks].some((said) => said.length) && !forced;

function fold(row, entry) {
  const count = Number(row.dataset.count ?? 1) + 1;
  row.dataset.count = count;
  row.dataset.id = entry.id;
  fill(row.querySelector(".e-time"), timeTag(entry));
  row.querySelector(".e-ms").textContent = entry.ms.toFixed(1);
  const button = row.querySelector("button");
  button.querySelector(".e-times").textContent = `×${numberOf(count)}`;
  button.setAttribute("aria-label", `${nameOf(entry, [])}, ${count} times`);
  rows.set(entry.id, row);
}

const timeTag = ({ at }) =>
  h("time", { datetime: at, title: at }, timeOf(at), h("span", { class: "e-milliseconds" }, millisecondsOf(at)));

function rowOf(entry) {
  const { request, response } = entry;
  const marks = marksOf(entry);
  const isFaulty = entry.faults.length + entry.broken.length > 0;
  const row = h("tr", { "data-id": entry.id, class: isFaulty ? "is-faulty" : null },
    h("td", { class: "e-time" }, timeTag(entry)),
    h("td", { class: "e-status" }, statusTag(response.status)),
    h("td", { class: "e-request" },
      h("button", { type: "button", class: "e-open", tabindex: "-1", "aria-label": nameOf(entry, marks) },
        methodTag(request.method),
        h("span", { class: "e-path" },
          request.path, request.query && h("span", { class: "quiet" }, `?${request.query}`)),
        h("span", { class: "e-times" })),
      marks.length > 0 && h("span", { class: "e-marks" },
        marks.map(([kind, text]) => h("span", { class: `mark mark-${kind}` }, text)))),
    h("td", { class: "e-credits" }, h("span", { class: entry.credits > 0 ? "gain" : null }, signed(entry.credits))),
    h("td", { class: "e-ms" }, entry.ms.toFixed(1)));
  rows.set(entry.id, row);
  return row;
}

export const statusTag = (status) => h("span", { class: `status status-${String(status)[0]}` }, status || "none");

export const methodTag = (method) => h("span", { class: `method method-${method.toLowerCase()}` }, method);

function marksOf({ forced, faults, warnings, broken, remarks }) {
  const marks = [];
  if (forced) marks.push(["forced", forced]);
  // The worst of each side first: there is room for few.
  for (const one of broken.slice(0, 1)) marks.push(["broken", brokenText(one)]);
  for (const fault of faults) marks.push(["fault", faultText(fault)]);
  for (const one of broken.slice(1)) marks.push(["broken", brokenText(one)]);
  for (const warning of warnings) marks.push(["warning", warning]);
  for (const remark of remarks) marks.push(["remark", remark]);
  return marks.length > 3 ? [...marks.slice(0, 2), ["more", `and ${marks.length - 2} more`]] : marks;
}

/** `where: message`, or the message alone where it says where. */
export const faultText = ({ where, message }) => (message.startsWith(where) ? message : `${where}: ${message}`);

/** The rule that an answer breaks, and how. */
export const brokenText = ({ rule, message }) => `${rule}: ${message}`;

function nameOf({ request, response, credits }, marks) {
  const parts = [`${request.method} ${request.path}`, `status ${response.status}`];
  if (credits) parts.push(`${signed(credits)} credits`);
  return [...parts, ...marks.map(([kind, text]) => `${kind} ${text}`)].join(", ");
}

// --- choosing one -------------------------------------------------------------------------------------------

function open(id) {
  location.hash = `#journal/${id}`;
}

function select(id) {
  selected = id;
  mark();
}

// One row can be reached by Tab: the selected one, or the newest; arrow keys lead to the others.
function mark() {
  for (const button of body.querySelectorAll(".e-open[tabindex='0'], .e-open[aria-current]")) {
    button.tabIndex = -1;
    button.removeAttribute("aria-current");
    button.closest("tr").classList.remove("selected");
  }
  const row = rows.get(selected);
  if (row) {
    row.classList.add("selected");
    row.querySelector("button").setAttribute("aria-current", "true");
  }
  const first = body.contains(document.activeElement) ? document.activeElement : (row ?? body).querySelector("button");
  if (first) first.tabIndex = 0;
}

const STEPS = { ArrowDown: 1, ArrowUp: -1, j: 1, k: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity };

function onKey(event) {
  const step = STEPS[event.key];
  if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  const all = [...body.querySelectorAll(".e-open")];
  const place = all.indexOf(document.activeElement) + step;
  const button = all[Math.max(0, Math.min(all.length - 1, place))];
  document.activeElement.tabIndex = -1;
  button.tabIndex = 0;
  button.focus();
  // With one open, moving on reads on.
  if (shown() === "entry") location.replace(`#journal/${button.closest("tr").dataset.id}`);
}

/** Go back to the row of the entry that was open. */
export function focusRow(id) {
  (rows.get(id) ?? body).querySelector("button")?.focus();
}

function pause(on) {
  paused = on;
  const button = byId("journal-pause");
  button.setAttribute("aria-pressed", String(on));
  button.textContent = on ? "Resume" : "Pause";
  if (!on && missed) {
    entries.clear();
    refresh();
  }
}
