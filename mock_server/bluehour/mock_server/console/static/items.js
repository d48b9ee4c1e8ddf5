// What another contract's operations have made, newest first, as the API shows it now.
import { api } from "./api.js";
import { byId, fill, h, keyed, textButton } from "./dom.js";
import { momentOf } from "./format.js";
import { filterBy } from "./journal.js";
import { codeBox } from "./json.js";
import { coalesced, onChanged, onEntry } from "./live.js";
import { complain } from "./notices.js";
import { operationName } from "./state.js";
import { whileShown } from "./view.js";

export function start() {
  const show = whileShown("items", coalesced(load));
  onChanged(["items", "clock"], show);
  onEntry(show);
}

async function load() {
  let items;
  try {
    items = await api.items();
  } catch (error) {
    return complain(error);
  }
  keyed(byId("items"), items, ({ collection, id }) => `${collection} ${id}`, card);
  fill(byId("items-empty"), !items.length && h("div", { class: "empty" },
    h("h3", {}, "No items yet"),
    h("p", {}, "What a client creates is kept, and shown here. Until then the contract's examples answer.")));
}

function card({ collection, id }) {
  const status = h("span", {});
  const facts = h("p", { class: "quiet small facts-line" });
  const body = h("div", {});
  const element = h("li", { class: "card" },
    h("div", { class: "card-head" }, h("h3", {}, h("code", {}, collection)), status),
    h("p", { class: "small" }, h("code", { class: "id" }, id), " ",
      textButton("its requests", () => filterBy(id || collection))),
    facts, body);
  let shown;
  return {
    element,
    update({ operation, created_at: created, status: now, item }) {
      fill(status, now && h("span", { class: "tag" }, now));
      fill(facts, `${operationName(operation)}, ${momentOf(created)}`);
      const text = JSON.stringify(item, null, 2);
      if (text === shown) return; // or it would lose the place to which somebody has scrolled
      shown = text;
      fill(body, codeBox(`The item ${id}`, text));
    },
  };
}
