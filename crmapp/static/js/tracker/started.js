// Follows a session that this tab has just started.
import { noteSeen } from "../hints.js";
import { live } from "../live.js";
import { sessions } from "../sessions.js";
import { trackerDialog } from "./dialog.js";

/** Follow a session that the server has just accepted, of `total` leads. */
export function follow(sessionId, total) {
  noteSeen(sessionId);
  trackerDialog.open(sessionId, total);
  sessions.expect(sessionId);
  live.check([sessionId]);
}
