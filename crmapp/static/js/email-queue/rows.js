// The rows of the list, brought up to date where they stand.
import { showSentences } from "../sentence.js";

const list = document.getElementById("queue-list");

export function rowOf(element) {
  return element.closest("tr.mail");
}

export function idOf(row) {
  return row.dataset.id;
}

/** The mail of `row` is no more what this list shows; it stays where it is until the list is shown anew. */
export function markGone(row, words) {
  if (row.classList.contains("gone")) return;
  const focused = row.querySelector(".actions")?.contains(document.activeElement);
  row.classList.add("gone");
  const note = document.createElement("span");
  note.className = "gone-note";
  note.textContent = words;
  row.querySelector('[data-cell="outcome"]').replaceChildren(note);
  row.querySelector(".actions > div")?.remove();
  if (focused) row.querySelector(".row-open").focus({ preventScroll: true });
}

/** Bring the rows to what `page`, a newer version of this document, says, moving none. Returns the number of changes
 * that are not shown by that: rows that came and rows that went. */
export function updateRows(page) {
  const newer = new Map(rowsIn(page.getElementById("queue-list")).map((row) => [idOf(row), row]));
  const shown = rowsIn(list);
  const lastThere = shown.findLastIndex((row) => newer.has(idOf(row)));
  const more = page.querySelector('.pager a[rel="next"]') !== null;
  shown.forEach((row, index) => {
    const now = newer.get(idOf(row));
    if (now) updateCells(row, now);
    // What came pushes the last rows to the next page: those are as they were.
    else if (!more || index < lastThere) markGone(row, "Moved on");
  });
  const known = new Set(shown.map(idOf));
  const came = [...newer.keys()].filter((id) => !known.has(id)).length;
  return came + list.querySelectorAll("tr.mail.gone").length;
}

function updateCells(row, now) {
  if (row.classList.contains("gone")) return;
  for (const cell of row.querySelectorAll("[data-cell]")) {
    const fresh = now.querySelector(`[data-cell="${cell.dataset.cell}"]`);
    showSentences(fresh);
    if (fresh.textContent !== cell.textContent) cell.replaceChildren(...fresh.childNodes);
  }
}

function rowsIn(root) {
  return [...root.querySelectorAll("tr.mail")];
}
