// JSON as it was sent, laid out: every number and string stays exactly as it was written.
import { h } from "./dom.js";

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;
const LARGEST = 200_000;

/**
 * Return the lines of a JSON text, or null where it is none. `notes` has what to say about a field, by its path
 * (`style.mouth_smile`, `items.0`).
 */
function laidOut(text, notes = new Map()) {
  if (text.length > LARGEST) return null;
  try {
    JSON.parse(text);
  } catch {
    return null;
  }
  return lines(text.match(TOKEN), notes);
}

function lines(tokens, notes) {
  const done = [];
  const within = []; // the open objects and arrays, each with the key or index that it is at
  let line = h("span", { class: "line" });
  const path = () => within.map((one) => one.at).join(".");
  const endLine = () => {
    line.append("\n");
    done.push(line);
    line = h("span", { class: "line" }, "  ".repeat(within.length));
  };
  const note = () => {
    const said = notes.get(path());
    if (said) {
      line.classList.add("faulty");
      line.dataset.note = said;
    }
  };
  tokens.forEach((token, index) => {
    const inner = within.at(-1);
    if (token === "{" || token === "[") {
      note();
      line.append(token);
      within.push({ array: token === "[", at: token === "[" ? 0 : null });
      if (!closes(tokens[index + 1])) endLine();
    } else if (closes(token)) {
      within.pop();
      if (!opens(tokens[index - 1])) endLine();
      line.append(token);
    } else if (token === ",") {
      if (inner.array) inner.at += 1;
      line.append(token);
      endLine();
    } else if (token === ":") {
      line.append(": ");
    } else if (tokens[index + 1] === ":") {
      inner.at = JSON.parse(token);
      line.append(h("span", { class: "j-key" }, token));
    } else {
      note();
      line.append(h("span", { class: token[0] === '"' ? "j-string" : "j-other" }, token));
    }
  });
  endLine();
  return done;
}

const opens = (token) => token === "{" || token === "[";
const closes = (token) => token === "}" || token === "]";

/** Faults by the path of the field that they are about. */
export function notesOf(faults) {
  const notes = new Map();
  for (const { where, message } of faults) {
    const path = where.replace(/\[(\d+)\]/g, ".$1");
    notes.set(path, notes.has(path) ? `${notes.get(path)}; ${message}` : message);
  }
  return notes;
}

/** A box with a text in it, laid out where it is JSON. */
export function codeBox(label, text, notes) {
  return h("pre", { class: "code", tabindex: "0", role: "region", "aria-label": label },
    h("code", {}, ...(laidOut(text, notes) ?? [text])));
}
