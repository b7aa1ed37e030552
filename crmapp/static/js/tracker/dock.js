// The small trackers in the corner: one for every session that is not in the dialog.
import { sessions } from "../sessions.js";
import { trackerDialog } from "./dialog.js";
import { phase } from "./texts.js";
import { show, showTime } from "./view.js";

const dock = document.getElementById("dock");
const template = document.getElementById("tracker-template");

export function startDock() {
  sessions.addEventListener("change", ({ detail }) => place(detail));
  sessions.addEventListener("gone", ({ detail }) => item(detail.sessionId)?.remove());
  trackerDialog.addEventListener("change", placeAll);
  setInterval(tick, 1000);
}

function place(doc) {
  const there = item(doc.sessionId);
  if (doc.sessionId === trackerDialog.sessionId) return there?.remove();
  const box = there ?? add(doc);
  show(box, doc);
  box.querySelector('[data-action="expand"]').hidden = phase(doc) !== "users";
  box.querySelector('[data-action="dismiss"]').hidden = phase(doc) !== "done";
}

function placeAll() {
  sessions.all().forEach(place);
}

function add({ sessionId, createdAt }) {
  const box = template.content.firstElementChild.cloneNode(true);
  box.querySelector('[data-action="expand"]').addEventListener("click", () => trackerDialog.open(sessionId));
  box.querySelector('[data-action="dismiss"]').addEventListener("click", () => dismiss(sessionId));
  const later = [...dock.children].find((other) => sessions.get(other.dataset.sessionId).createdAt > createdAt);
  dock.insertBefore(box, later ?? null);
  return box;
}

function dismiss(sessionId) {
  sessions.dismiss(sessionId);
  document.getElementById("main").focus({ preventScroll: true });
}

function item(sessionId) {
  return [...dock.children].find((box) => box.dataset.sessionId === sessionId);
}

function tick() {
  for (const box of dock.children) showTime(box, sessions.get(box.dataset.sessionId));
}
