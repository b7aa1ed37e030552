// Opens under a row what happened to its mail.
import { ApiError, api } from "../api.js";
import { exact } from "../times.js";
import { idOf, rowOf } from "./rows.js";

const list = document.getElementById("queue-list");
const panel = document.getElementById("timeline-panel").content.firstElementChild;
const entry = document.getElementById("timeline-entry").content.firstElementChild;

export function startTimelines() {
  list.addEventListener("click", ({ target }) => target.closest(".row-open") && toggle(rowOf(target)));
  list.addEventListener("keydown", (event) => {
    const open = event.key === "Escape" && event.target.closest('.row-open[aria-expanded="true"]');
    if (open) toggle(rowOf(open));
  });
}

/** Bring those that are open up to date. */
export function reloadTimelines() {
  for (const button of list.querySelectorAll('.row-open[aria-expanded="true"]')) load(rowOf(button));
}

function toggle(row) {
  const button = row.querySelector(".row-open");
  const opens = button.getAttribute("aria-expanded") === "false";
  button.setAttribute("aria-expanded", String(opens));
  if (!opens) return row.nextElementSibling.remove();
  const box = panel.cloneNode(true);
  box.id = `timeline-${idOf(row)}`;
  box.firstElementChild.colSpan = row.cells.length;
  box.querySelector('[role="region"]').setAttribute("aria-label", `What happened to the mail to ${row.dataset.email}`);
  button.setAttribute("aria-controls", box.id);
  row.after(box);
  load(row);
}

async function load(row) {
  const box = document.getElementById(`timeline-${idOf(row)}`);
  const note = box.querySelector('[data-field="note"]');
  try {
    const { mail, items } = await api(`/crm/email-queue/mail/${idOf(row)}/timeline`);
    note.textContent = items.length ? "" : "Nothing has happened to this mail yet: it was queued, and waits.";
    box.querySelector('[data-field="messageId"]').textContent = mail.messageId;
    const shown = box.querySelector("ol");
    if (shown.children.length !== items.length) shown.replaceChildren(...items.map((item) => line(item, shown)));
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    note.textContent = error.message;
  }
}

function line(item, shown) {
  const labels = JSON.parse(shown.dataset.labels);
  const box = entry.cloneNode(true);
  box.dataset.type = item.type;
  const set = (name, text) => (text ? (box.querySelector(`[data-field="${name}"]`).textContent = text) : box.querySelector(`[data-field="${name}"]`).remove());
  set("label", labels[item.type] ?? item.type);
  set("by", item.by && `by ${item.by}`);
  set("attempt", !item.by && item.attempt && `try ${item.attempt}`);
  set("email", item.email);
  set("reply", item.reply);
  const time = box.querySelector("time");
  time.dateTime = item.at;
  time.textContent = exact(new Date(item.at));
  return box;
}
