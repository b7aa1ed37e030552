// A dialog with a form that is sent as JSON: what the server refuses is said in it.
import { ApiError, api } from "../api.js";

/** `send(form)` returns the path and the options of the call; `done(data)` is told the answer, once the dialog is closed. */
export function startForm(dialog, send, done) {
  const form = dialog.querySelector("form");
  const problem = dialog.querySelector('[data-field="problem"]');
  const button = form.querySelector('[type="submit"]');
  for (const close of dialog.querySelectorAll("[data-close]")) close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => (problem.hidden = true));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    problem.hidden = true;
    try {
      const data = await api(...send(form));
      dialog.close();
      done(data);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      problem.textContent = error.message;
      problem.hidden = false;
    } finally {
      button.disabled = false;
    }
  });
}
