// What a job's progress says in words.
import { serverNow } from "../clock.js";
import { count, duration, number } from "../format.js";
import { isActivation, stage, undoLeft } from "./stage.js";

const USUAL = { work: "Running", mail: "Sending e-mails", done: "Completed" };

/** The name of its stage. */
export function state(doc) {
  const current = stage(doc);
  if (current === "mail" && undoLeft(doc)) return "E-mails held back";
  return USUAL[current] ?? current[0].toUpperCase() + current.slice(1);
}

/** The same where things have not taken their usual course; empty where they have. */
export function badge(doc) {
  return stage(doc) in USUAL ? "" : state(doc);
}

export function title(doc) {
  switch (stage(doc)) {
    case "work":
      return isSearching(doc) ? `${work(doc)}…` : `${work(doc)}… ${sum(doc)} (${doc.percentage} %)`;
    case "mail":
      return undoLeft(doc) ? created(doc) : `Sending e-mails ${number(mailed(doc))} / ${number(doc.activated)}`;
    case "done":
      return isActivation(doc) ? created(doc) : doc.label;
    case "cancelling":
    case "undoing":
    case "undone":
      return doc.label;
    default:
      return `${doc.label}: ${sum(doc)}`;
  }
}

export function created(doc) {
  return doc.activated ? `${count(doc.activated, "user")} created` : "No users created";
}

/** The line under the bar: what is not in the title. */
export function detail(doc) {
  switch (stage(doc)) {
    case "work":
      return isSearching(doc) ? doc.msg : [succeeded(doc), ...leftOut(doc)].join(" · ");
    case "paused":
      return [succeeded(doc), ...leftOut(doc)].join(" · ");
    case "mail":
      return [...(undoLeft(doc) ? [] : [created(doc)]), ...leftOut(doc)].join(" · ");
    case "done":
      return isActivation(doc) ? [...sent(doc), ...leftOut(doc)].join(" · ") : doc.msg;
    case "failed":
      return doc.problem ?? doc.msg;
    default:
      return doc.msg;
  }
}

/** What the numbers beside it do not say already; empty where they say everything. */
export function note(doc) {
  switch (stage(doc)) {
    case "work":
      return isSearching(doc) ? doc.msg : "";
    case "paused":
      return "";
    case "mail":
      return title(doc);
    case "done":
      return doc.msg;
    default:
      return detail(doc);
  }
}

/** What keeps it from going on; empty where nothing does. */
export function trouble(doc) {
  return ["failed", "cancelling", "undoing"].includes(stage(doc)) ? detail(doc) : "";
}

/** What items that went well are called. */
export function okLabel(doc) {
  return isActivation(doc) ? "Activated" : "Done";
}

/** "75 / 150" */
export function sum(doc) {
  return `${number(doc.processed)} / ${number(doc.total)}`;
}

export function elapsed(doc) {
  return `${duration(secondsSince(doc.createdAt))} so far`;
}

/** "120 / s", items at the pace of whoever works on it; empty while that cannot be said. */
export function rate(doc) {
  const pace = itemsPerSecond(doc);
  return pace ? `${number(pace >= 10 ? Math.round(pace) : Math.round(10 * pace) / 10)} / s` : "";
}

/** How long its items will take at this pace, or until when its mail is held back. */
export function remaining(doc) {
  const held = stage(doc) === "mail" && undoLeft(doc);
  if (held) return `The invitations go out in ${held} s`;
  const pace = itemsPerSecond(doc);
  return pace ? `about ${duration(doc.remaining / pace)} left` : "";
}

/** What is said once all users of an activation exist. */
export function usersDone(doc) {
  const sentences = [created(doc)];
  const verb = doc.activated === 1 ? "is" : "are";
  const held = undoLeft(doc);
  if (held) sentences.push(`The invitations go out in ${held} s: until then it can be undone`);
  else if (doc.activated) sentences.push(`${count(doc.activated, "e-mail")} ${verb} being sent in the background`);
  if (leftOut(doc).length) sentences.push(leftOut(doc).join(", "));
  return sentences.map((sentence) => `${sentence}.`).join(" ");
}

/** What is said once a job is over, or stopped. */
export function outcome(doc) {
  if (stage(doc) === "failed") return `${doc.label} stopped. ${doc.problem ?? ""}`;
  return isActivation(doc) ? doc.msg : `${doc.label}: ${doc.msg}`;
}

function work(doc) {
  return isActivation(doc) ? "Creating users" : doc.label;
}

/** Whether it is still to be found out what there is to do. */
export function isSearching(doc) {
  return doc.phase === "selecting" && !isActivation(doc);
}

export function mailed(doc) {
  return doc.emailsSent + doc.emailsFailed;
}

function succeeded(doc) {
  return `${number(doc.ok)} ${okLabel(doc).toLowerCase()}`;
}

function sent(doc) {
  return doc.activated ? [`${count(doc.emailsSent, "e-mail")} sent`] : [];
}

function leftOut(doc) {
  const parts = [];
  if (doc.skipped) parts.push(`${number(doc.skipped)} skipped`);
  if (doc.failed) parts.push(`${number(doc.failed)} failed`);
  return parts;
}

function itemsPerSecond(doc) {
  if (stage(doc) !== "work" || !doc.pace) return 0;
  const seconds = secondsSince(doc.pace.since);
  return seconds < 2 ? 0 : (doc.processed - doc.pace.done) / seconds;
}

function secondsSince(iso) {
  return (serverNow() - Date.parse(iso)) / 1000;
}
