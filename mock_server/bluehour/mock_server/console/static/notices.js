// What the console says to the person in front of it: done, refused, not allowed.
import { byId } from "./dom.js";

const TOAST_MS = 4000;
let hiding;

/** Say something for a moment. */
export function say(text, { bad = false } = {}) {
  const toast = byId("toast");
  toast.textContent = text;
  toast.classList.toggle("bad", bad);
  toast.classList.add("shown");
  clearTimeout(hiding);
  hiding = setTimeout(() => toast.classList.remove("shown"), TOAST_MS);
}

/** Say why something did not work; who may not use the console at all is told so above everything else. */
export function complain(error) {
  if (error.status === 401 || error.status === 403) banner(error.message);
  else if (error.status !== undefined) say(error.message, { bad: true });
  else throw error;
}

export function banner(text) {
  byId("banner").textContent = text ?? "";
  byId("banner").hidden = !text;
}

/** Do something, and complain where it is refused; true if it was done. */
export async function attempt(action, done) {
  try {
    await action();
    if (done) say(done);
    return true;
  } catch (error) {
    complain(error);
    return false;
  }
}

/** Send a form by `send()`, and show a refusal at the form. */
export function onSubmit(form, send) {
  const problem = form.querySelector(".form-error");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    problem.hidden = true;
    try {
      await send(form);
    } catch (error) {
      if (error.status === undefined && !(error instanceof SyntaxError)) throw error;
      problem.textContent = error.message;
      problem.hidden = false;
    }
  });
}

/** Put text on the clipboard. */
export async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    say(`Copied ${what}`);
  } catch {
    // Browsers keep the clipboard from pages that come without encryption from another machine.
    say(`The browser does not let this page copy; here it is: ${text}`);
  }
}
