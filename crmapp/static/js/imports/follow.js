// Imports and their undoing go on while the page is open: what it tells of them is shown anew when their state changes.
import { showNewest } from "../newest.js";
import { sessions } from "../sessions.js";
import { stage } from "../tracker/stage.js";

const PAUSE = 500;
const TYPES = ["lead_import", "lead_import_undo"];

const known = new Map(); // session id -> its state as the page was made
let waiting = 0;

export function startFollowing() {
  sessions.addEventListener("change", ({ detail: doc }) => {
    if (!TYPES.includes(doc.type)) return;
    const state = `${stage(doc)} ${doc.completed}`;
    if (known.get(doc.sessionId) === state) return;
    known.set(doc.sessionId, state);
    waiting ||= setTimeout(look, PAUSE);
  });
}

function look() {
  waiting = 0; // what happens from here on may be missing in the answer
  showNewest();
}
