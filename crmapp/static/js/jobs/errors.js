// The errors of the job that the page is about: by reason, and more of them.
import { ApiError, api } from "../api.js";
import { number } from "../format.js";
import { showTimes } from "../times.js";
import { toast } from "../toast.js";

const part = document.getElementById("job-errors");
const { sessionId } = document.getElementById("job").dataset;

let page = 1; // the last one that is shown

export function startErrors() {
  part.addEventListener("click", ({ target }) => {
    const group = target.closest(".group");
    if (group) choose(group);
    if (target.closest("#more-errors")) show(page + 1);
  });
  // Shown anew by the server, it begins at the first page again.
  new MutationObserver(() => (page = 1)).observe(part, { childList: true });
}

function choose(group) {
  for (const other of part.querySelectorAll(".group")) other.ariaPressed = String(other === group);
  part.querySelector("#errors-csv").href = `/crm/jobs/${sessionId}/errors.csv?${query()}`;
  show(1);
}

/** The filter of the chosen group. */
function query(more = {}) {
  const { state = "", reason = "" } = part.querySelector('.group[aria-pressed="true"]').dataset;
  const set = Object.entries({ state, reason, ...more }).filter(([, value]) => value);
  return new URLSearchParams(set);
}

async function show(wanted) {
  try {
    const answer = await api(`/crm/jobs/${sessionId}/errors?${query({ page: wanted })}`);
    const rows = part.querySelector("#error-rows");
    const row = rows.querySelector("tr");
    const shown = answer.items.map((item) => fill(row.cloneNode(true), item));
    if (wanted === 1) rows.replaceChildren(...shown);
    else rows.append(...shown);
    page = wanted;
    showTimes();
    offerMore(answer.total - rows.children.length, shown[0]);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    toast(error.message, "danger");
  }
}

function fill(row, item) {
  const set = (name, text) => (row.querySelector(`[data-field="${name}"]`).textContent = text ?? "");
  set("title", item.title || item.itemId);
  set("state", item.state[0].toUpperCase() + item.state.slice(1));
  row.querySelector('[data-field="state"]').dataset.status = item.state;
  set("label", item.label);
  set("words", item.words);
  row.querySelector("time").dateTime = item.at;
  return row;
}

function offerMore(left, firstShown) {
  const button = part.querySelector("#more-errors");
  const focused = button === document.activeElement;
  button.hidden = left <= 0;
  button.textContent = `Show more (${number(left)})`;
  if (!focused || left > 0) return;
  firstShown.tabIndex = -1;
  firstShown.focus({ preventScroll: true });
}
