// "Undo…": takes an import back, after a question.
import { ApiError, api } from "../api.js";
import { noteSeen } from "../hints.js";
import { live } from "../live.js";
import { showNewest } from "../newest.js";
import { sessions } from "../sessions.js";

const dialog = document.getElementById("undo-dialog");
const confirm = document.getElementById("confirm-undo");
const problem = dialog.querySelector('[data-field="problem"]');

let url; // of the import that the open dialog is about

export function startUndo() {
  document.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-undo]");
    if (button) open(button);
  });
  confirm.addEventListener("click", undo);
  for (const button of dialog.querySelectorAll("[data-close]")) button.addEventListener("click", () => dialog.close());
}

function open(button) {
  url = button.dataset.undo;
  problem.hidden = true;
  dialog.querySelector('[data-field="file"]').textContent = button.dataset.file;
  dialog.showModal();
  confirm.focus();
}

async function undo() {
  confirm.disabled = true;
  try {
    const { jobId } = await api(url, { method: "POST", json: {} });
    dialog.close();
    noteSeen(jobId);
    sessions.expect(jobId);
    await live.check([jobId]);
    await showNewest();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    problem.textContent = error.message;
    problem.hidden = false;
  } finally {
    confirm.disabled = false;
  }
}
