// "Drop…": failed mail that is given up, one or all that are selected, after a question.
import { ApiError, api } from "../api.js";
import { toast } from "../toast.js";
import { refresh } from "./refresh.js";
import { idOf, markGone, rowOf } from "./rows.js";
import { selection } from "./selection.js";

const list = document.getElementById("queue-list");
const dialog = document.getElementById("drop-dialog");
const selected = document.getElementById("drop-selected");
const confirm = document.getElementById("confirm-drop");
const problem = dialog.querySelector('[data-field="problem"]');

let wanted; // what the open dialog is about: {row} or {body}

export function startDrop() {
  selection.addEventListener("change", () => (selected.disabled = selection.size === 0));
  selected.addEventListener("click", () => {
    const everything = selection.isEverything ? "All " : "";
    open({ body: selection.body }, `${everything}${selection.sizeText} selected mail${selection.size === 1 ? "" : "s"}`);
  });
  list.addEventListener("click", ({ target }) => {
    const row = target.closest(".row-drop") && rowOf(target);
    if (row) open({ row, body: { ids: [idOf(row)] } }, `The mail to ${row.dataset.email}`);
  });
  confirm.addEventListener("click", drop);
  for (const button of dialog.querySelectorAll("[data-close]")) button.addEventListener("click", () => dialog.close());
}

function open(what, words) {
  wanted = what;
  problem.hidden = true;
  dialog.querySelector('[data-field="what"]').textContent = words;
  dialog.showModal();
  confirm.focus();
}

async function drop() {
  const { row, body } = wanted;
  confirm.disabled = true;
  try {
    const answer = await api("/crm/email-queue/failed/drop", { method: "POST", json: body, timeout: 0 });
    dialog.close();
    toast(answer.msg, answer.dropped ? "success" : "warning");
    if (row) markGone(row, answer.dropped ? "Dropped" : "Moved on");
    else selection.clear();
    refresh({ replace: !row });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    problem.textContent = error.message;
    problem.hidden = false;
  } finally {
    confirm.disabled = false;
  }
}
