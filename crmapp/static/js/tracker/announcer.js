// Tells screen readers how the jobs go: at every new stage, and every ten seconds in between.
import { sessions } from "../sessions.js";
import { stage, undoLeft } from "./stage.js";
import { badge, detail, title } from "./texts.js";

const PAUSE = 10_000;

export function startAnnouncer() {
  const announcer = document.getElementById("announcer");
  const told = new Map(); // session id -> {stage, at} of what was said last

  sessions.addEventListener("change", ({ detail: doc }) => {
    const last = told.get(doc.sessionId);
    const now = performance.now();
    if (last?.stage === stage(doc) && now - last.at < PAUSE) return;
    told.set(doc.sessionId, { stage: stage(doc), at: now });
    const undo = undoLeft(doc) ? `It can be undone for ${undoLeft(doc)} seconds.` : "";
    announcer.textContent = [`${title(doc)}.`, badge(doc), detail(doc), undo].filter(Boolean).join(" ");
  });
}
