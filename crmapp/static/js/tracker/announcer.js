// Tells screen readers how the sessions go: at every new phase, and every ten seconds in between.
import { sessions } from "../sessions.js";
import { detail, phase, title } from "./texts.js";

const PAUSE = 10_000;

export function startAnnouncer() {
  const announcer = document.getElementById("announcer");
  const told = new Map(); // session id -> {phase, at} of what was said last

  sessions.addEventListener("change", ({ detail: doc }) => {
    const last = told.get(doc.sessionId);
    const now = performance.now();
    if (last?.phase === phase(doc) && now - last.at < PAUSE) return;
    told.set(doc.sessionId, { phase: phase(doc), at: now });
    announcer.textContent = `${title(doc)}. ${detail(doc)}`;
  });
}
