// Brings the list up to date when a job has changed leads, or given them back.
import { newestPage } from "../newest.js";
import { sessions } from "../sessions.js";
import { showTimes } from "../times.js";
import { isActivation, stage } from "../tracker/stage.js";
import { selection } from "./selection.js";

const UNDER_WAY = ["work", "cancelling", "undoing"];

const shown = new Map(); // session id -> the stage that the list shows

export function startReload() {
  sessions.addEventListener("change", ({ detail: doc }) => {
    const current = stage(doc) === "done" ? "mail" : stage(doc); // mail changes no lead
    if (!changesLeads(doc) || UNDER_WAY.includes(current) || shown.get(doc.sessionId) === current) return;
    shown.set(doc.sessionId, current);
    reload();
  });
}

/** Activations, and what is done with many leads at once. */
function changesLeads(doc) {
  return isActivation(doc) || doc.type.startsWith("lead_");
}

export async function reload() {
  const page = await newestPage();
  if (!page) return;
  selection.replaceList(page);
  showTimes();
}
