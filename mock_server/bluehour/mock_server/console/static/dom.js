// Making and changing elements. Text only ever becomes text: nothing here, or anywhere, takes HTML.

/** Make an element. Attributes that are functions are listeners; false, null and undefined leave one out. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.replace(/^on/, ""), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child != null && child !== false));
  return element;
}

/** A button that does something; `more` are further attributes. */
export const button = (text, onclick, more) => h("button", { type: "button", class: "button", onclick, ...more }, text);

/** One that looks like a link. */
export const textButton = (text, onclick, more) => button(text, onclick, { class: "link", ...more });

export const byId = (id) => document.getElementById(id);

/** Show an element's content anew. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat().filter((child) => child != null && child !== false));
  return element;
}

const LONGEST_PRESS_MS = 5000; // no browser that has missed a release holds the page up for longer

/**
 * Wait while a mouse's button, a finger or a key holds something pressed. A click is a press and a release on the
 * same element: if that is made anew, or moves away, in between, the browser tells of no click.
 */
export async function released() {
  const end = performance.now() + LONGEST_PRESS_MS;
  while (document.querySelector(":active") && performance.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 16));
  }
}

const kept = new WeakMap();

/**
 * Make a container's children those of a list. What is already there stays, with its focus, its open details
 * and what somebody is typing; `make(item)` returns `{ element, update(item) }`, and update comes with changes.
 */
export function keyed(container, items, keyOf, make) {
  const before = kept.get(container) ?? new Map();
  const after = new Map();
  for (const item of items) {
    const key = keyOf(item);
    const content = JSON.stringify(item);
    const part = before.get(key) ?? make(item);
    if (part.content !== content) {
      part.content = content;
      part.update?.(item);
    }
    after.set(key, part);
  }
  for (const [key, part] of before) if (!after.has(key)) part.element.remove();
  let place = container.firstElementChild;
  for (const { element } of after.values()) {
    if (element === place) place = place.nextElementSibling;
    else container.insertBefore(element, place);
  }
  kept.set(container, after);
}

/** A switch, which says what it is with role and state. `flip(on)` may refuse by throwing. */
export function switchFor(label, flip) {
  const button = h("button", {
    type: "button",
    role: "switch",
    class: "switch",
    "aria-label": label,
    "aria-checked": "false",
    onclick: () => flip(button.getAttribute("aria-checked") !== "true"),
  });
  return button;
}

export function setSwitch(button, on) {
  button.setAttribute("aria-checked", String(on));
}

export const options = (select, pairs, chosen) => groupedOptions(select, [["", pairs]], chosen);

/** Offer choices in groups: `[[name, [[value, text], …]], …]`; those of a group without a name are by themselves. */
export function groupedOptions(select, groups, chosen = select.value) {
  const choices = (pairs) => pairs.map(([value, text]) => h("option", { value }, text));
  fill(select, groups.flatMap(([label, pairs]) => (label ? [h("optgroup", { label }, choices(pairs))] : choices(pairs))));
  if (groups.some(([, pairs]) => pairs.some(([value]) => value === chosen))) select.value = chosen;
}
