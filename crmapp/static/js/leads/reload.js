// Brings the list up to date when an activation has changed leads.
import { newestPage } from "../newest.js";
import { sessions } from "../sessions.js";
import { showTimes } from "../times.js";
import { selection } from "./selection.js";

const done = new Set(); // ids of the sessions that have all their users

export function startReload() {
  sessions.addEventListener("change", ({ detail: doc }) => {
    if (!doc.usersDone || done.has(doc.sessionId)) return;
    done.add(doc.sessionId);
    reload();
  });
}

export async function reload() {
  const page = await newestPage();
  if (!page) return;
  selection.replaceList(page);
  showTimes();
}
