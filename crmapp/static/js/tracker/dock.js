// The small trackers in the corner: one for every job that is neither in the dialog nor on the page itself.
import * as hints from "../hints.js";
import { sessions } from "../sessions.js";
import { trackerDialog } from "./dialog.js";
import { startFold } from "./fold.js";
import { stage } from "./stage.js";
import { show, showTime } from "./view.js";

const DISMISSIBLE = ["done", "cancelled", "undone", "paused", "failed"];

const list = document.getElementById("dock-list");
const template = document.getElementById("tracker-template");
// The page shows by itself all jobs, or the one of this id.
const onPage = document.querySelector("[data-shows-jobs]")?.dataset.showsJobs;

export function startDock() {
  sessions.addEventListener("change", ({ detail }) => place(detail));
  sessions.addEventListener("gone", ({ detail }) => item(detail.sessionId)?.remove());
  trackerDialog.addEventListener("change", placeAll);
  hints.onDismissedElsewhere(placeAll);
  setInterval(tick, 1000);
  startFold();
}

function place(doc) {
  const there = item(doc.sessionId);
  if (!belongs(doc)) return there?.remove();
  const box = there ?? add(doc);
  show(box, doc);
  const current = stage(doc);
  box.querySelector('[data-action="expand"]').hidden = current !== "work";
  box.querySelector('[data-action="dismiss"]').hidden = !DISMISSIBLE.includes(current);
}

function belongs({ sessionId, status }) {
  if (onPage === "all" || onPage === sessionId || sessionId === trackerDialog.sessionId) return false;
  return !hints.isDismissed(sessionId, status);
}

function placeAll() {
  sessions.all().forEach(place);
}

function add({ sessionId, createdAt }) {
  const box = template.content.firstElementChild.cloneNode(true);
  box.querySelector('[data-action="expand"]').addEventListener("click", () => trackerDialog.open(sessionId));
  box.querySelector('[data-action="dismiss"]').addEventListener("click", () => dismiss(sessionId));
  const later = [...list.children].find((other) => sessions.get(other.dataset.sessionId).createdAt > createdAt);
  list.insertBefore(box, later ?? null);
  return box;
}

function dismiss(sessionId) {
  hints.noteDismissed(sessionId, sessions.get(sessionId).status);
  item(sessionId).remove();
  document.getElementById("main").focus({ preventScroll: true });
}

function item(sessionId) {
  return [...list.children].find((box) => box.dataset.sessionId === sessionId);
}

function tick() {
  for (const box of list.children) showTime(box, sessions.get(box.dataset.sessionId));
}
