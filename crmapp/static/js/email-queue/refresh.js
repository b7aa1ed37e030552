// Keeps the page up to date without moving what is read or selected: the counts always follow; the list is shown anew
// only where nobody is at it, and otherwise its rows change in place and a button offers the rest.
import { count } from "../format.js";
import { live } from "../live.js";
import { newestPage } from "../newest.js";
import { showSentences } from "../sentence.js";
import { showTimes } from "../times.js";
import { showCounts, showGroups } from "./counts.js";
import { updateRows } from "./rows.js";
import { selection } from "./selection.js";
import { reloadTimelines } from "./timeline.js";

const PAUSE = 1000;

const list = document.getElementById("queue-list");
const button = document.getElementById("show-changes");

let waiting = 0; // the timer of the next look
let lookedAt = performance.now(); // this page is as new as that
let stale = false; // something changed while nobody looked at this tab

export function startRefresh() {
  for (const name of ["queue", "health"]) live.addEventListener(name, refreshSoon);
  document.addEventListener("visibilitychange", () => stale && refreshSoon());
  button.addEventListener("click", () => {
    list.focus({ preventScroll: true });
    refresh({ replace: true });
  });
}

/** Look at what the server has now. `replace` shows the list anew whoever is at it. */
export async function refresh({ replace = false } = {}) {
  lookedAt = performance.now();
  stale = false;
  const page = await newestPage();
  if (!page) return;
  showCounts(page);
  showGroups(page);
  if (replace || !isUsed()) replaceList(page);
  else updateList(page);
  showTimes();
}

function refreshSoon() {
  stale = document.hidden;
  if (stale || waiting) return;
  const wait = Math.max(0, lookedAt + PAUSE - performance.now());
  waiting = setTimeout(() => {
    waiting = 0; // what happens from here on may be missing in the answer
    refresh();
  }, wait);
}

/** Whether somebody is at the list: a row is selected, open, focused or pointed at, or is further down the page. */
function isUsed() {
  if (!list.querySelector("tr.mail")) return false;
  return (
    selection.size > 0 ||
    list.querySelector('[aria-expanded="true"]') !== null ||
    document.querySelector("dialog:modal") !== null ||
    (list !== document.activeElement && list.contains(document.activeElement)) ||
    list.matches(":hover") ||
    list.getBoundingClientRect().top < 0
  );
}

function replaceList(page) {
  selection.replaceList(page);
  document.getElementById("selection-bar").hidden = page.getElementById("selection-bar").hidden;
  showSentences(list);
  offer(0);
}

function updateList(page) {
  offer(updateRows(page));
  selection.setTotal(page.getElementById("queue-list").dataset.total);
  reloadTimelines();
}

function offer(changes) {
  button.hidden = changes === 0;
  const text = `${count(changes, "change")} · show`;
  if (changes && button.textContent !== text) button.textContent = text;
}
