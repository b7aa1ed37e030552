// Puts a session's state into the elements of one tracker: the dialog's or a dock item's.
import { number } from "../format.js";
import { detail, elapsed, phase, remaining, title } from "./texts.js";

const ICONS = { users: "bi-person-plus", mails: "bi-send", done: "bi-check-circle-fill" };

/** Show `doc` in `root`, by the data-field attributes that it has. */
export function show(root, doc) {
  const { sessionId, rev, activated, failed, percentage, completed, emailsSent, emailsFailed } = doc;
  const current = phase(doc);
  const mailed = activated ? (100 * (emailsSent + emailsFailed)) / activated : 100;
  const icon = completed && emailsFailed ? "bi-exclamation-circle-fill" : ICONS[current];
  Object.assign(root.dataset, { sessionId, rev, activated, failed, percentage, completed, phase: current });
  set(root, "icon", { className: `tracker-icon bi ${icon}` });
  set(root, "title", { textContent: title(doc) });
  set(root, "users", { value: percentage, hidden: current !== "users" });
  set(root, "mails", { value: mailed, hidden: current !== "mails" });
  for (const name of ["activated", "skipped", "failed"]) set(root, name, { textContent: number(doc[name]) });
  set(root, "detail", { textContent: detail(doc) });
  set(root, "mailsFailed", { textContent: `${number(emailsFailed)} not delivered`, hidden: !emailsFailed });
  showTime(root, doc);
}

/** Only what changes while nothing happens. */
export function showTime(root, doc) {
  set(root, "elapsed", { textContent: elapsed(doc) });
  set(root, "remaining", { textContent: remaining(doc) });
}

function set(root, name, properties) {
  const element = root.querySelector(`[data-field="${name}"]`);
  if (element) Object.assign(element, properties);
}
