// "Correct…": another address for a failed mail, and a new invitation to it.
import { ApiError, api } from "../api.js";
import { toast } from "../toast.js";
import { refresh } from "./refresh.js";
import { idOf, markGone, rowOf } from "./rows.js";

const dialog = document.getElementById("correct-dialog");
const form = dialog.querySelector("form");
const input = document.getElementById("correct-email");
const problem = document.getElementById("correct-error");
const submit = document.getElementById("confirm-correct");

let row; // whose mail it is about

export function startCorrect() {
  document.getElementById("queue-list").addEventListener("click", ({ target }) => {
    if (target.closest(".row-correct")) open(rowOf(target));
  });
  for (const button of form.querySelectorAll("[data-close]")) button.addEventListener("click", () => dialog.close());
  form.addEventListener("submit", send);
  input.addEventListener("input", () => say(""));
}

function open(of) {
  row = of;
  input.value = row.dataset.email;
  say("");
  dialog.showModal();
  input.select();
}

async function send(event) {
  event.preventDefault();
  const asked = row;
  const email = input.value.trim();
  if (!input.checkValidity()) return say("Write a whole e-mail address, such as name@example.com.");
  submit.disabled = true;
  try {
    const answer = await api(`/crm/email-queue/failed/${idOf(asked)}`, { method: "PATCH", json: { email } });
    dialog.close();
    markGone(asked, `Goes to ${email}`);
    toast(answer?.msg ?? `A new invitation goes to ${email}. The link in the old one no longer works.`);
    refresh();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    say(error.message);
  } finally {
    submit.disabled = false;
  }
}

function say(text) {
  problem.textContent = text;
  problem.hidden = !text;
  input.toggleAttribute("aria-invalid", Boolean(text));
  input.classList.toggle("is-invalid", Boolean(text));
  if (text) input.focus();
}
