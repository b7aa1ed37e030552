// What a session's progress says in words.
import { serverNow } from "../clock.js";
import { count, duration, number } from "../format.js";

/** "users" while users are created, then "mails" while invitations are sent, then "done". */
export function phase(doc) {
  if (doc.completed) return "done";
  return doc.usersDone ? "mails" : "users";
}

export function title(doc) {
  const mailed = doc.emailsSent + doc.emailsFailed;
  switch (phase(doc)) {
    case "users":
      return `Creating users… ${number(handled(doc))} / ${number(doc.total)} (${doc.percentage} %)`;
    case "mails":
      return `Sending e-mails ${number(mailed)} / ${number(doc.activated)}`;
    case "done":
      return created(doc);
  }
}

export function created(doc) {
  return doc.activated ? `${count(doc.activated, "user")} created` : "No users created";
}

/** The line under the bar: the counts that are not in the title. */
export function detail(doc) {
  const parts = [];
  if (phase(doc) === "users") parts.push(`${number(doc.activated)} activated`);
  if (phase(doc) === "mails") parts.push(created(doc));
  if (phase(doc) === "done" && doc.activated) parts.push(`${count(doc.emailsSent, "e-mail")} sent`);
  return [...parts, ...leftOut(doc)].join(" · ");
}

export function elapsed(doc) {
  return `${duration(secondsSince(doc.createdAt))} so far`;
}

/** How long the users will take at the pace that they have had; empty while that cannot be said. */
export function remaining(doc) {
  const done = handled(doc);
  const seconds = secondsSince(doc.createdAt);
  if (phase(doc) !== "users" || !done || seconds < 2) return "";
  return `about ${duration((seconds / done) * (doc.total - done))} left`;
}

/** What is said once all users of a session exist. */
export function usersDone(doc) {
  const sentences = [created(doc)];
  const verb = doc.activated === 1 ? "is" : "are";
  if (doc.activated) sentences.push(`${count(doc.activated, "e-mail")} ${verb} being sent in the background`);
  if (leftOut(doc).length) sentences.push(leftOut(doc).join(", "));
  return sentences.map((sentence) => `${sentence}.`).join(" ");
}

function leftOut(doc) {
  const parts = [];
  if (doc.skipped) parts.push(`${number(doc.skipped)} skipped`);
  if (doc.failed) parts.push(`${number(doc.failed)} failed`);
  return parts;
}

function handled(doc) {
  return doc.activated + doc.skipped + doc.failed;
}

function secondsSince(iso) {
  return (serverNow() - Date.parse(iso)) / 1000;
}
