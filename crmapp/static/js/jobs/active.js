// "Active jobs": a card for every job that is not over, with its numbers as they are now.
import { live } from "../live.js";
import { sessions } from "../sessions.js";
import { show, showTime } from "../tracker/view.js";

const list = document.getElementById("active-list");
const empty = document.getElementById("active-empty");
const template = document.getElementById("job-card");

export function startActive() {
  sessions.addEventListener("change", ({ detail }) => place(detail));
  sessions.addEventListener("gone", ({ detail }) => remove(card(detail.sessionId)));
  setInterval(tick, 1000);
  const shown = [...list.children].map((box) => box.dataset.sessionId);
  shown.forEach((id) => sessions.expect(id));
  live.check(shown);
}

function place(doc) {
  const there = card(doc.sessionId);
  if (doc.completed) return remove(there);
  show(there ?? add(doc), doc);
}

function add(doc) {
  const box = template.content.firstElementChild.cloneNode(true);
  const later = [...list.children].find((other) => sessions.get(other.dataset.sessionId)?.createdAt > doc.createdAt);
  list.insertBefore(box, later ?? null);
  empty.hidden = true;
  return box;
}

function remove(box) {
  if (!box) return;
  const focused = box.contains(document.activeElement);
  box.remove();
  empty.hidden = list.children.length > 0;
  if (focused) document.getElementById("active-title").focus({ preventScroll: true });
}

function card(sessionId) {
  return [...list.children].find((box) => box.dataset.sessionId === sessionId);
}

function tick() {
  for (const box of list.children) {
    const doc = sessions.get(box.dataset.sessionId);
    if (doc) showTime(box, doc);
  }
}
