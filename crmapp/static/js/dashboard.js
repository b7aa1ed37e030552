// What the dashboard does besides what every page does: running jobs follow at once, and the rest is shown anew a while
// after something has happened.
import { startActive } from "./jobs/active.js";
import { live } from "./live.js";
import { showNewest } from "./newest.js";
import { showSentences } from "./sentence.js";
import { sessions } from "./sessions.js";

const PAUSE = 3000;

let waiting = 0; // the timer of the next look
let missed = false; // something has happened while nobody looked at this tab

startActive();
for (const name of ["change", "gone"]) sessions.addEventListener(name, lookSoon);
for (const name of ["queue", "health"]) live.addEventListener(name, lookSoon);
document.addEventListener("visibilitychange", () => !document.hidden && missed && lookSoon());

function lookSoon() {
  missed = document.hidden;
  if (!missed) waiting ||= setTimeout(look, PAUSE);
}

async function look() {
  waiting = 0; // what happens from here on may be missing in the answer
  await showNewest();
  showSentences();
}
