// The rows of a table of jobs: their numbers follow at once, and the table is shown anew when a job came, ended or
// changed its state.
import { showNewest } from "../newest.js";
import { sessions } from "../sessions.js";
import { stage } from "../tracker/stage.js";
import { show } from "../tracker/view.js";

const PAUSE = 1000;

const part = document.getElementById("jobs-list");
const known = new Map(); // session id -> what the table that is shown says of it

let waiting = 0; // the timer of the next look
let lookedAt = performance.now();

export function startRows() {
  for (const row of part.querySelectorAll("tr[data-session-id]")) known.set(row.dataset.sessionId, row.dataset.state);
  sessions.addEventListener("change", ({ detail: doc }) => {
    const row = rowOf(doc.sessionId);
    if (row) show(row, doc);
    const state = `${stage(doc)} ${doc.completed}`;
    if (known.get(doc.sessionId) === state) return;
    known.set(doc.sessionId, state);
    lookSoon();
  });
}

function lookSoon() {
  if (waiting) return;
  waiting = setTimeout(look, Math.max(0, lookedAt + PAUSE - performance.now()));
}

async function look() {
  waiting = 0; // what happens from here on may be missing in the answer
  lookedAt = performance.now();
  await showNewest();
  for (const doc of sessions.all()) if (rowOf(doc.sessionId)) show(rowOf(doc.sessionId), doc);
}

function rowOf(sessionId) {
  return part.querySelector(`tr[data-session-id="${sessionId}"]`);
}
