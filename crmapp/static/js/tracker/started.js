// The sessions that this tab started: it opens their dialog, and says when all their users exist.
import { live } from "../live.js";
import { sessions } from "../sessions.js";
import { toast } from "../toast.js";
import { trackerDialog } from "./dialog.js";
import { usersDone } from "./texts.js";

const KEY = "crmapp.started";

// Kept in the tab's own storage, so that a refresh does not swallow the message.
const started = new Set(JSON.parse(sessionStorage.getItem(KEY)) ?? []);

/** Follow a session that the server has just accepted, of `total` leads. */
export function follow(sessionId, total) {
  started.add(sessionId);
  keep();
  trackerDialog.open(sessionId, total);
  sessions.expect(sessionId);
  live.check([sessionId]);
}

export function startStarted() {
  started.forEach((sessionId) => sessions.expect(sessionId));
  sessions.addEventListener("change", ({ detail: doc }) => {
    if (!doc.usersDone || !started.delete(doc.sessionId)) return;
    keep();
    toast(usersDone(doc), doc.activated ? "success" : "warning");
  });
}

function keep() {
  sessionStorage.setItem(KEY, JSON.stringify([...started]));
}
