// Puts a job's state into the elements that show it: the dialog, a dock item, a card or a row.
import { number } from "../format.js";
import { showControls } from "./controls.js";
import { stage } from "./stage.js";
import { badge, detail, elapsed, isSearching, mailed, note, okLabel, rate, remaining, state, sum, title, trouble } from "./texts.js";

const ICONS = {
  work: "bi-arrow-repeat",
  mail: "bi-send",
  done: "bi-check-circle-fill",
  paused: "bi-pause-circle-fill",
  failed: "bi-exclamation-circle-fill",
  cancelling: "bi-arrow-counterclockwise",
  undoing: "bi-arrow-counterclockwise",
  cancelled: "bi-slash-circle",
  undone: "bi-arrow-counterclockwise",
};
const BARS = ["work", "paused", "failed", "cancelling", "undoing"];
const COUNTS = ["ok", "skipped", "failed"];

/** Show `doc` in `root`, by the data-field attributes that it has. */
export function show(root, doc) {
  const { sessionId, type, rev, failed, percentage, completed, emailsFailed } = doc;
  const current = stage(doc);
  const activated = doc.activated ?? 0;
  Object.assign(root.dataset, { sessionId, type, rev, activated, failed, percentage, completed, stage: current });
  set(root, "icon", { className: `tracker-icon bi ${icon(doc, current)}` });
  set(root, "badge", { textContent: badge(doc), hidden: !badge(doc) });
  for (const mark of root.querySelectorAll(".status-badge")) mark.dataset.status = current;
  set(root, "href", { href: `/crm/jobs/${sessionId}` });
  set(root, "label", { textContent: doc.label });
  set(root, "okLabel", { textContent: okLabel(doc) });
  set(root, "who", { textContent: doc.userName });
  showBar(root, doc, current);
  set(root, "mails", {
    value: activated ? (100 * mailed(doc)) / activated : 100,
    hidden: !activated || !doc.usersDone || completed,
  });
  set(root, "bar", { value: isSearching(doc) ? 0 : percentage });
  set(root, "sum", { textContent: amount(doc) });
  for (const name of COUNTS) {
    set(root, name, { textContent: number(doc[name] ?? 0) });
    set(root, `${name}Part`, { hidden: !doc[name] });
  }
  set(root, "mailsFailed", { textContent: `${number(emailsFailed)} not delivered`, hidden: !emailsFailed });
  showTime(root, doc);
}

/** Only what changes while nothing happens. */
export function showTime(root, doc) {
  set(root, "title", { textContent: title(doc) });
  set(root, "state", { textContent: state(doc) });
  set(root, "detail", { textContent: detail(doc) });
  set(root, "note", { textContent: note(doc) });
  set(root, "trouble", { textContent: trouble(doc), hidden: !trouble(doc) });
  set(root, "elapsed", { textContent: elapsed(doc) });
  set(root, "rate", { textContent: rate(doc) });
  set(root, "remaining", { textContent: remaining(doc) });
  showControls(root, doc);
}

function showBar(root, doc, current) {
  set(root, "users", { value: doc.percentage, hidden: !BARS.includes(current) });
  if (isSearching(doc) && current === "work") root.querySelector('[data-field="users"]')?.removeAttribute("value");
}

function amount(doc) {
  if (isSearching(doc)) return "";
  return doc.total ? sum(doc) : "nothing to do";
}

function icon(doc, current) {
  return doc.completed && doc.emailsFailed ? "bi-exclamation-circle-fill" : ICONS[current];
}

function set(root, name, properties) {
  for (const element of root.querySelectorAll(`[data-field~="${name}"]`)) {
    for (const [key, value] of Object.entries(properties)) if (element[key] !== value) element[key] = value;
  }
}
