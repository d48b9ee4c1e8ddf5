// Which view is shown: the address's fragment says so (`#rules`, `#projects/ID`, `#journal/12`), so that every
// view can be linked, and going back goes back. Where there is room the journal stays beside the others.
import { byId } from "./dom.js";
import { isProxy } from "./state.js";

const VIEWS = ["journal", "entry", "rules", "items", "projects", "accounts", "webhooks", "clock"];
const VIEWS_OF_A_PROXY = ["journal", "entry"];
const wide = matchMedia("(min-width: 64rem)");
const listeners = [];
let last = "rules";

/** Call `listener(view, id)` whenever another view, or another thing in it, is shown. */
export const onView = (listener) => listeners.push(listener);

export const shown = () => document.body.dataset.view;

/** Where closing the entry leads to. */
export const beside = () => (wide.matches && !isProxy() ? `#${last}` : "#journal");

export function start() {
  addEventListener("hashchange", route);
  wide.addEventListener("change", route);
  for (const link of document.querySelectorAll(".views a, .skip-link")) {
    // A view that is shown already is still where the keyboard wants to go on.
    link.addEventListener("click", () => setTimeout(() => focusHeading(link.hash.slice(1)), 0));
  }
  route();
}

function route() {
  const [name, id] = location.hash.slice(1).split("/").map(decodeURIComponent);
  let view = (isProxy() ? VIEWS_OF_A_PROXY : VIEWS).includes(name) ? name : "journal";
  if (view === "journal" && id) view = "entry";
  if (view === "journal" && wide.matches && !isProxy()) view = last;
  if (view !== "journal" && view !== "entry") last = view;
  if (view !== shown()) byId(`view-${view}`).closest(".side")?.scrollTo(0, 0);
  document.body.dataset.view = view;
  for (const link of document.querySelectorAll(".views a")) {
    if (link.dataset.view === view) {
      link.setAttribute("aria-current", "page");
      link.scrollIntoView({ block: "nearest", inline: "center" });
    } else {
      link.removeAttribute("aria-current");
    }
  }
  for (const listener of listeners) listener(view, id);
}

export function focusHeading(view) {
  byId(`${view}-heading`)?.focus();
}

/** A task for a view: run at once while the view is shown, else when it is shown next. */
export function whileShown(view, task) {
  let stale = true;
  onView((now) => {
    if (now === view && stale) {
      stale = false;
      task();
    }
  });
  return () => {
    if (shown() === view) task();
    else stale = true;
  };
}
