// Projects, newest first, with what each is made of and what it has made, and a way to end those that run.
import { api } from "./api.js";
import { button, byId, fill, h, keyed, options, textButton } from "./dom.js";
import { momentOf, numberOf, plural } from "./format.js";
import { gallery, isPlayed } from "./gallery.js";
import { accountLink } from "./links.js";
import { coalesced, onChanged, onEntry } from "./live.js";
import { filterBy } from "./journal.js";
import { codeBox } from "./json.js";
import { attempt, complain } from "./notices.js";
import { operationName, theContract } from "./state.js";
import { onView, shown, whileShown } from "./view.js";

const ENDED = ["complete", "error", "canceled"];
const POLL_MS = 1000;

const list = byId("projects");
let wanted = null; // the project that a link led to
let polling;

export function start() {
  const refresh = coalesced(load);
  const show = whileShown("projects", refresh);
  onChanged(["projects", "clock"], show);
  onEntry((entry) => entry.project && show());
  onView((view, id) => {
    wanted = view === "projects" && id ? id : null;
    if (wanted) refresh();
  });
  document.addEventListener("visibilitychange", () => document.hidden || shown() !== "projects" || refresh());
  onView((view) => view === "projects" || clearTimeout(polling));
}

async function load() {
  clearTimeout(polling);
  let projects;
  try {
    projects = await api.projects();
    if (wanted && !projects.some(({ project }) => project.id === wanted)) projects.push(await api.project(wanted));
  } catch (error) {
    complain(error);
    if (!projects) return;
  }
  keyed(list, projects, ({ project }) => project.id, card);
  fill(byId("projects-empty"), !projects.length && h("div", { class: "empty" },
    h("h3", {}, "No projects yet"),
    h("p", {}, "Whatever a client has made becomes one, with its files. The form above makes one, too.")));
  if (wanted) reveal(wanted);
  if (projects.some(isRunning) && !document.hidden && shown() === "projects") polling = setTimeout(load, POLL_MS);
}

const isRunning = ({ project, deleted_at: deleted }) => !deleted && !ENDED.includes(project.status);

function reveal(id) {
  for (const element of list.children) element.classList.toggle("wanted", element.dataset.id === id);
  list.querySelector(".wanted")?.scrollIntoView({ block: "nearest" });
  wanted = null;
}

function card({ project: { id }, request }) {
  const title = h("h3", {});
  const status = h("span", {});
  const facts = h("p", { class: "quiet small facts-line" });
  const problem = h("p", { class: "callout bad", hidden: true });
  const before = gallery("before");
  const after = gallery("after");
  const pair = h("div", { class: "pair" }, before.element, after.element);
  const controls = h("div", { class: "actions project-actions", hidden: true });
  const code = h("select", { "aria-label": "Job error" });
  const end = (outcome) => attempt(() => api.endProject(id, outcome));
  fill(controls,
    button("Complete", () => end("complete")),
    button("Cancel", () => end("canceled")),
    h("span", { class: "joined" }, code, button("End in error", () => end(code.value))));
  options(code, theContract().job_errors.map((one) => [one, one]));
  code.parentElement.hidden = !theContract().job_errors.length;
  const element = h("li", { class: "card project", "data-id": id },
    h("div", { class: "card-head" }, title, status),
    h("p", { class: "small" }, h("code", { class: "id" }, id), " ", textButton("its requests", () => filterBy(id))),
    pair,
    facts, problem, controls,
    h("details", {}, h("summary", {}, "Request"),
      codeBox("The request that created it", JSON.stringify(request, null, 2))));
  return {
    element,
    update(item) {
      const { project, operation, plan, account, outcome, finished_at: finished, deleted_at: deleted, pictures } = item;
      title.textContent = project.name || operationName(operation);
      fill(status, projectStatus(deleted ? "deleted" : project.status));
      fill(facts,
        `${[project.type ?? operationName(operation), ...measuresOf(project), priceOf(project)].join(", ")}, `,
        accountLink(account, `account on ${plan}`),
        `, ${fateOf(isRunning(item), outcome, finished)}`);
      problem.hidden = !project.error;
      problem.textContent = project.error ? `${project.error.code}: ${project.error.message}` : "";
      before.show(pictures.before, "no upload");
      after.show(pictures.after, isRunning(item) ? "not yet" : "none");
      // A player that has nothing beside it has room for its buttons.
      pair.classList.toggle("alone", !pictures.before.length && pictures.after.some(isPlayed));
      pair.hidden = !pictures.before.length && !pictures.after.length && !isRunning(item);
      controls.hidden = !isRunning(item);
    },
  };
}

/** The size and the length of a video. */
function measuresOf({ width, height, start_seconds: start, end_seconds: end, fps }) {
  return width && height ? [`${width} × ${height}`, `${numberOf(end - start)} s`, `${numberOf(fps)} fps`] : [];
}

const priceOf = ({ credits_charged: credits }) => plural(credits ?? 0, "credit");

function fateOf(runs, outcome, finished) {
  if (!runs) return finished ? `ended ${momentOf(finished)}` : "ended";
  if (outcome === "pending") return "waits for the renderer";
  if (!finished) return "stuck in its queue";
  return `will be ${ENDED.includes(outcome) ? outcome : `in error (${outcome})`} at ${momentOf(finished)}`;
}

const KINDS = { complete: "good", error: "bad", canceled: "", deleted: "" };

const projectStatus = (status) => h("span", { class: `tag ${KINDS[status] ?? "running"}` }, status);
