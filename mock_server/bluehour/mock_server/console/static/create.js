// The form that makes a project: any create of the contract, with its published example as the body.
import { byId, fill, h } from "./dom.js";
import { plural } from "./format.js";
import { placeOf } from "./links.js";
import { methodTag } from "./journal.js";
import { attempt, onSubmit, say } from "./notices.js";
import { operationOptions } from "./operations.js";
import { requestOf, send } from "./requests.js";
import { cheapestCreate, creates, onContract } from "./state.js";

const box = byId("project-new");
const form = byId("project-form");
let request;

export function start() {
  build();
  const { operation, token, body } = form.elements;
  onContract(() => {
    box.hidden = !creates().length;
    operationOptions(operation, creates(), { chosen: cheapestCreate()?.id });
    if (box.open) attempt(offer);
  });
  operation.addEventListener("change", () => attempt(offer));
  box.addEventListener("toggle", () => box.open && attempt(offer));
  onSubmit(form, async () => {
    const made = await send({ ...request, token: token.value, body: body.value });
    say(`Made for ${plural(made.credits_charged ?? 0, "credit")}`);
    if (made.id) location.hash = placeOf("projects", made.id);
  });
}

/** Go to the form. */
export function choose() {
  location.hash = "#projects";
  box.open = true;
  setTimeout(() => form.elements.operation.focus(), 0);
}

function build() {
  fill(form,
    h("label", { class: "wide" }, "What to make ", h("select", { name: "operation" })),
    h("p", { class: "wide sentence", id: "project-price" }),
    h("label", { class: "wide" }, "Token ", h("input", { name: "token", required: true, spellcheck: "false" })),
    h("label", { class: "wide" }, "Body ", h("textarea", { name: "body", rows: "10", spellcheck: "false" })),
    h("p", { class: "form-error", role: "alert", hidden: true }),
    h("div", { class: "actions" }, h("button", { class: "button primary" }, "Make it")));
}

/** Fill the form in for the operation that is chosen; what somebody has typed for it stays. */
async function offer() {
  const { operation, token, body } = form.elements;
  const chosen = creates().find((one) => one.id === operation.value);
  if (!chosen || form.dataset.for === chosen.id) return;
  form.dataset.for = chosen.id;
  const published = await requestOf(chosen);
  if (form.dataset.for !== chosen.id) return; // another one has been chosen meanwhile
  request = published;
  fill(byId("project-price"), methodTag(chosen.method), h("code", {}, chosen.path),
    h("span", { class: "badge price" }, chosen.price));
  token.value ||= request.token ?? "";
  body.value = JSON.stringify(request.bodies[0] ?? {}, null, 2);
}
