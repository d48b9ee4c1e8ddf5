// Ways from one view to another.
import { h } from "./dom.js";

export const placeOf = (view, id) => `#${view}/${encodeURIComponent(id)}`;

export const projectLink = (id) => h("a", { href: placeOf("projects", id) }, h("code", {}, id));

export const accountLink = (id, text = h("code", {}, id)) => h("a", { href: placeOf("accounts", id) }, text);
