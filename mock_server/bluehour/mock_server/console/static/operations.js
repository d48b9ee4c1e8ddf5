// Choosing one of the contract's operations, in the groups that the contract has them in.
import { groupedOptions } from "./dom.js";

/** Operations by group, in the contract's order: `[[group, operations], …]`. */
function grouped(operations) {
  const groups = new Map();
  for (const one of operations) groups.set(one.group, [...(groups.get(one.group) ?? []), one]);
  return [...groups];
}

const nameOf = ({ id, summary }) => summary || id;

/** Offer operations, beside `others` that come first: `[[value, text], …]`. */
export function operationOptions(select, operations, { first = [], last = [], chosen } = {}) {
  groupedOptions(select, [
    ["", first],
    ...grouped(operations).map(([group, all]) => [group, all.map((one) => [one.id, nameOf(one)])]),
    ...last,
  ], select.value || chosen);
}

/** Offer everything that a request can be about. */
export function requestOptions(select, { operations }, any, chosen) {
  const links = [["upload", "Upload of a file"], ["download", "Download of a file"]];
  operationOptions(select, operations, { first: [["", any]], last: [["Links", links]], chosen });
}
