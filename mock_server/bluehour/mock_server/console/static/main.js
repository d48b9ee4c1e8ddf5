// The console: every part is started, then the server is listened to.
import * as accounts from "./accounts.js";
import * as clock from "./clock.js";
import * as create from "./create.js";
import * as entry from "./entry.js";
import * as header from "./header.js";
import * as items from "./items.js";
import * as journal from "./journal.js";
import { connect } from "./live.js";
import * as presets from "./presets.js";
import * as projects from "./projects.js";
import * as ruleform from "./ruleform.js";
import * as rules from "./rules.js";
import { load } from "./state.js";
import * as view from "./view.js";
import * as webhooks from "./webhooks.js";

for (const part of [header, journal, entry, rules, presets, ruleform, items, create, projects, accounts, webhooks, clock]) {
  part.start();
}
// What a rule or a project is about can be named once the contract is known.
await load();
view.start();
journal.refresh();
connect();
