// Brings the list up to date when an activation has changed leads.
import { ApiError, request } from "../api.js";
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
  try {
    const response = await request(location.href, { headers: { Accept: "text/html" } });
    if (response.redirected) return;
    selection.replaceList(new DOMParser().parseFromString(await response.text(), "text/html"));
    showTimes();
  } catch (error) {
    // The list stays as it was; the connection's label says why.
    if (!(error instanceof ApiError)) throw error;
  }
}
