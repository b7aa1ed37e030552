// What each column is imported as, what would come of that, and the start.
import { ApiError, api } from "../api.js";
import { noteSeen } from "../hints.js";
import { showPreview, showWait } from "./preview.js";

const PAUSE = 250; // whoever goes through the choices by keyboard is not answered at each of them
const SLOWEST = 180_000;

const url = document.getElementById("import").dataset.url;
const selects = [...document.querySelectorAll("#mapping select")];
const problem = document.getElementById("mapping-problem");
const start = document.getElementById("start-import");

let asked = 0; // the number of the newest question: older answers are out of date
let timer = 0;

export function startMapping() {
  document.getElementById("mapping").addEventListener("change", () => {
    clearTimeout(timer);
    timer = setTimeout(look, PAUSE);
    showDoubles();
  });
  start.addEventListener("click", begin);
  showDoubles();
  look();
}

const mapping = () => Object.fromEntries(selects.map((select) => [select.name, select.value || null]));

async function look() {
  const number = ++asked;
  const isComplete = selects.some((select) => select.value === "email");
  tell(isComplete ? "" : "Choose the column that holds the e-mail addresses.");
  start.disabled = !isComplete;
  if (!isComplete) return showPreview(null);
  showWait();
  try {
    const seen = await api(`${url}/preview`, { method: "POST", json: { mapping: mapping() }, timeout: SLOWEST });
    if (number === asked) showPreview(seen);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (number !== asked) return;
    showPreview(null);
    tell(error.message);
  }
}

async function begin() {
  start.disabled = true;
  try {
    const { jobId } = await api(`${url}/start`, { method: "POST", json: { mapping: mapping() } });
    noteSeen(jobId);
    location.reload();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    start.disabled = false;
    tell(error.message);
  }
}

/** Several columns may hold the same field: what that means is said beside them. */
function showDoubles() {
  for (const select of selects) {
    const same = select.value && selects.filter((other) => other !== select && other.value === select.value);
    const note = document.getElementById(`note-${select.name}`);
    note.hidden = !same || !same.length;
    note.textContent = note.hidden ? "" : "Another column holds this too: of each row, the first that is not empty counts.";
  }
}

function tell(text) {
  problem.textContent = text;
  problem.hidden = !text;
}
