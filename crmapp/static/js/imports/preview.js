// What an import would do, as the server has worked it out.
import { count, number } from "../format.js";

const status = document.getElementById("preview-status");
const bad = document.getElementById("preview-bad");
const counts = document.querySelectorAll("[data-count]");

export function showWait() {
  status.textContent = "Looking through the file…";
}

/** `seen` is null where it cannot be said. */
export function showPreview(seen) {
  for (const place of counts) place.textContent = seen ? number(seen[place.dataset.count]) : "–";
  status.textContent = seen ? extent(seen) : "Nothing can be said as long as something is missing.";
  const reasons = Object.entries(seen?.reasons ?? {});
  bad.hidden = !reasons.length;
  const groups = reasons.map(([reason, times]) => group(seen.labels[reason], times));
  document.getElementById("preview-reasons").replaceChildren(...groups);
  const examples = (seen?.examples ?? []).map(({ row, reason }) => item(`Row ${number(row)}: ${reason}`));
  document.getElementById("preview-examples").replaceChildren(...examples);
}

function extent({ rows, complete }) {
  return complete ? `Of ${count(rows, "row")}:` : `Of the first ${number(rows)} rows; the file is longer:`;
}

function group(label, times) {
  const box = item(` ${label}`);
  box.className = "group";
  const amount = document.createElement("strong");
  amount.textContent = number(times);
  box.prepend(amount);
  return box;
}

function item(text) {
  const box = document.createElement("li");
  box.textContent = text;
  return box;
}
