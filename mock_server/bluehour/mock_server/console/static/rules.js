// The rules, in the order in which they are asked: each with its switch and what it has done.
import { api } from "./api.js";
import { byId, fill, h, keyed, setSwitch, switchFor, textButton } from "./dom.js";
import { numberOf, plural } from "./format.js";
import { coalesced, onChanged, onEntry } from "./live.js";
import { codeBox } from "./json.js";
import { attempt, complain } from "./notices.js";
import { focusHeading, whileShown } from "./view.js";
import { conditionOf, effectOf } from "./words.js";

const list = byId("rules");
const reload = coalesced(load);

export function start() {
  const refresh = whileShown("rules", reload);
  onChanged(["rules", "contract"], refresh);
  onEntry(refresh); // the counters move with the calls
  byId("rules-clear").addEventListener("click", () => attempt(api.clearRules, "All rules are gone"));
}

async function load() {
  try {
    const rules = await api.rules();
    keyed(list, rules, ({ id }) => id, card);
    byId("rules-clear").hidden = !rules.length;
    fill(byId("rules-empty"), !rules.length && h("div", { class: "empty" },
      h("h3", {}, "Nothing is forced"),
      h("p", {}, "The mock answers as its contract says. Choose above what the next call meets, or make a rule.")));
  } catch (error) {
    complain(error);
  }
}

function card({ id, rule }) {
  const title = rule.name ?? effectOf(rule);
  const change = async (on) => {
    await attempt(async () => setSwitch(toggle, (await api.switchRule(id, on)).enabled));
    reload();
  };
  const toggle = switchFor(`Rule: ${title}`, change);
  const fitted = h("span", {});
  const spent = h("span", { class: "tag", hidden: true }, "used up");
  const again = textButton("Use it again", () => change(true), { hidden: true });
  const remove = async () => {
    if (await attempt(() => api.removeRule(id), "The rule is gone")) focusHeading("rules");
  };
  const element = h("li", { class: "card rule" },
    h("div", { class: "rule-head" }, toggle,
      h("div", {}, h("h3", {}, title, " ", spent),
        rule.name && h("p", { class: "small" }, effectOf(rule)),
        h("p", { class: "quiet small" }, conditionOf(rule)))),
    h("div", { class: "rule-foot" }, fitted, again,
      h("details", {}, h("summary", {}, "JSON"), codeBox("The rule", JSON.stringify(rule, null, 2))),
      textButton("Delete", remove, { class: "link danger", "aria-label": `Delete rule: ${title}` })));
  return {
    element,
    update({ enabled, fitted: fits, acted }) {
      setSwitch(toggle, enabled);
      const over = rule.times !== undefined && acted >= rule.times;
      element.classList.toggle("off", !enabled || over);
      spent.hidden = again.hidden = !(enabled && over);
      const most = rule.times === undefined ? "" : ` of ${plural(rule.times, "time")}`;
      fitted.textContent = `fitted ${numberOf(fits)}, acted ${numberOf(acted)}${most}`;
    },
  };
}
