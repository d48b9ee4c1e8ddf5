// Extras of the reference; everything is there without them: copy buttons, prices of other requests, a filter,
// where one is.
"use strict";

for (const caption of document.querySelectorAll("figure.code > figcaption")) {
  caption.append(copyButton(caption.textContent.trim(), caption.nextElementSibling));
}

function copyButton(title, source) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "Copy";
  button.setAttribute("aria-label", `Copy ${title}`);
  button.addEventListener("click", async () => {
    button.textContent = (await copied(source)) ? "Copied" : "Press Ctrl+C";
    setTimeout(() => (button.textContent = "Copy"), 1500);
  });
  return button;
}

async function copied(source) {
  try {
    await navigator.clipboard.writeText(source.textContent);
    return true;
  } catch {
    // Browsers keep the clipboard from pages that come without encryption from another machine.
    getSelection().selectAllChildren(source);
    return false;
  }
}

for (const operation of document.querySelectorAll("[data-asks-as]")) {
  addQuestion(operation);
}

function addQuestion(operation) {
  const form = document.getElementById("ask-cost").content.cloneNode(true).firstElementChild;
  const [request, plan, button, answer] = ["textarea", "select", "button", "p[role]"].map((one) => form.querySelector(one));
  const examples = [...operation.querySelectorAll("figure.request code")].map((one) => one.textContent);
  request.value = examples[0] ?? "{}";
  button.addEventListener("click", async () => {
    answer.textContent = "";
    const said = await costOf(operation.dataset.asksAs, request.value, plan?.value);
    answer.classList.toggle("refused", said.credits === undefined);
    answer.textContent = said.text;
  });
  operation.querySelector(".price-part").append(form);
}

async function costOf(operation, text, plan) {
  let body;
  try {
    body = JSON.parse(text);
  } catch (error) {
    return { text: `This is not JSON: ${error.message}` };
  }
  try {
    const headers = { "Content-Type": "application/json" };
    const question = { method: "POST", headers, body: JSON.stringify({ operation, body, plan }) };
    const said = await (await fetch("/docs/cost", question)).json();
    if (said.credits === undefined) return { text: said.objections?.join("\n") ?? said.message };
    return { ...said, text: said.credits === 1 ? "1 credit" : `${said.credits.toLocaleString("en")} credits` };
  } catch {
    return { text: "The mock does not answer. Is it still running?" };
  }
}

const contents = document.getElementById("section-contents");
const links = [...contents.querySelectorAll("li a")];

if (links.length > 6) {
  addFilter();
}
markWhereOneIs();

function addFilter() {
  const box = document.createElement("div");
  box.className = "filter";
  box.setAttribute("role", "search");
  const input = document.createElement("input");
  input.type = "search";
  input.placeholder = "Filter";
  input.setAttribute("aria-label", "Filter the contents");
  const found = document.createElement("p");
  found.setAttribute("role", "status");
  box.append(input, found);
  contents.querySelector("ul").before(box);
  input.addEventListener("input", () => (found.textContent = filtered(input.value)));
}

function filtered(text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const link of links) {
    const known = `${link.title} ${link.textContent} ${link.hash}`.toLowerCase();
    const fits = words.every((word) => known.includes(word));
    link.parentElement.hidden = !fits;
    count += fits;
  }
  for (const list of contents.querySelectorAll("h2 + ul")) {
    const empty = !list.querySelector("li:not([hidden])");
    list.hidden = list.previousElementSibling.hidden = empty;
  }
  return words.length ? `${count} of ${links.length}` : "";
}

function markWhereOneIs() {
  const byId = new Map(links.map((link) => [decodeURIComponent(link.hash.slice(1)), link]));
  const places = [...byId.keys()].map((id) => document.getElementById(id)).filter(Boolean);
  let current = null;
  const mark = () => {
    // The last place whose beginning has been scrolled past, or to.
    const above = places.filter((place) => place.getBoundingClientRect().top < innerHeight / 4);
    const link = byId.get((above.at(-1) ?? places[0])?.id);
    if (link === current) return;
    current?.removeAttribute("aria-current");
    link?.setAttribute("aria-current", "location");
    current = link;
    keepInSight(link);
  };
  let waiting = false;
  addEventListener("scroll", () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      mark();
    });
  }, { passive: true });
  mark();
}

function keepInSight(link) {
  const box = contents.getBoundingClientRect();
  const place = link.getBoundingClientRect();
  if (place.height && (place.top < box.top || place.bottom > box.bottom)) {
    contents.scrollTop += place.top - box.top - box.height / 2;
  }
}
