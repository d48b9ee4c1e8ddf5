// One request and its answer, in full.
import { api } from "./api.js";
import { curlOf } from "./curl.js";
import { byId, fill, h, textButton } from "./dom.js";
import { bytesOf, dayOf, millisecondsOf, plural, signed, timeOf } from "./format.js";
import { brokenText, entryOf, faultText, filterBy, focusRow, methodTag, statusTag } from "./journal.js";
import { codeBox, notesOf } from "./json.js";
import { accountLink, projectLink } from "./links.js";
import { copy } from "./notices.js";
import { isProxy, operationName } from "./state.js";
import { beside, focusHeading, onView, shown } from "./view.js";

let current = null;

export function start() {
  onView((view, id) => view === "entry" && open(Number(id)));
  byId("entry-curl").addEventListener("click", () => current && copy(curlOf(current), "the command; set TOKEN"));
  byId("entry-close").addEventListener("click", close);
  addEventListener("keydown", (event) => {
    if (event.key === "Escape" && shown() === "entry" && !document.querySelector("dialog[open]")) close();
  });
}

function close() {
  const id = current?.id;
  location.hash = beside();
  setTimeout(() => focusRow(id), 0);
}

async function open(id) {
  const entry = entryOf(id) ?? (await api.entry(id).catch((error) => void show404(error)));
  if (!entry || current === entry) return;
  const wasElsewhere = !byId("view-journal").contains(document.activeElement);
  current = entry;
  show(entry);
  if (wasElsewhere) focusHeading("entry");
}

function show404(error) {
  current = null;
  byId("entry-heading").textContent = "Request";
  fill(byId("entry"), h("p", { class: "callout bad" }, error.message));
}

function show(entry) {
  const { request, response } = entry;
  byId("entry-heading").textContent = `Request ${entry.id}`;
  fill(byId("entry"),
    h("p", { class: "entry-line" }, methodTag(request.method), " ",
      h("code", {}, request.path + (request.query && `?${request.query}`))),
    facts(entry),
    entry.forced && callout("forced", "Forced", [entry.forced]),
    entry.broken.length > 0
      && callout("bad", `The answer breaks ${plural(entry.broken.length, "rule")}`, entry.broken.map(brokenText)),
    entry.faults.length > 0 && callout("bad", plural(entry.faults.length, "fault"), entry.faults.map(faultText)),
    entry.warnings.length > 0 && callout("warn", plural(entry.warnings.length, "warning"), entry.warnings),
    entry.remarks.length > 0 && callout("", plural(entry.remarks.length, "note"), entry.remarks),
    message("Request", request, notesOf(entry.faults)),
    message("Response", response, notesOf(entry.broken.map(asFault)), statusTag(response.status)));
  byId("entry").closest(".side").scrollTop = 0;
}

const asFault = ({ field, message: said }) => ({ where: field, message: said });

function facts({ at, ms, operation, account, project, credits, process }) {
  const rows = [
    ["Operation", operation ? operationName(operation) : "none has this method and path"],
    ["Time", `${dayOf(at)}, ${timeOf(at)}${millisecondsOf(at)}, took ${ms.toFixed(1)} ms`],
    account && ["Account", isProxy() ? h("code", {}, account) : accountLink(account)],
    project && ["Project", [isProxy() ? h("code", {}, project) : projectLink(project), " ",
      textButton("all its requests", () => filterBy(project))]],
    credits !== 0 && ["Credits", signed(credits)],
    ["Served by", `process ${process.pid} on ${process.host}`],
  ];
  return h("dl", { class: "facts" },
    rows.filter(Boolean).map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

function callout(kind, title, lines) {
  return h("div", { class: `callout ${kind}` }, h("h3", {}, title), h("ul", {}, lines.map((line) => h("li", {}, line))));
}

function message(title, { headers, body, size }, notes, ...extra) {
  return h("section", { class: "message", "aria-label": title },
    h("div", { class: "message-head" }, h("h3", {}, title), extra,
      h("span", { class: "aside" }, size ? bytesOf(size) : "no body"),
      body && textButton("Copy body", () => copy(body, "the body"))),
    h("details", {}, h("summary", {}, plural(headers.length, "header")), headerTable(headers)),
    body && codeBox(`${title} body`, body, notes),
    !body && size > 0 && h("p", { class: "quiet small" }, "The journal keeps no body that is binary or large."));
}

export function headerTable(headers) {
  return h("table", { class: "headers" }, h("tbody", {},
    headers.map(([name, value]) => h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, value)))));
}
