// What may be done with a job, wherever it is shown: its buttons, which are there while they can be used.
import { ApiError, api } from "../api.js";
import { noteSeen } from "../hints.js";
import { live } from "../live.js";
import { sessions } from "../sessions.js";
import { toast } from "../toast.js";
import { askToCancel } from "./cancel.js";
import { actions, undoLeft } from "./stage.js";

const OPPOSITE = { pause: "resume", resume: "pause" };

export function startControls() {
  document.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-control]");
    if (button) press(button);
  });
}

/** Show the buttons of `root`, which can be focused, that can be used now. */
export function showControls(root, doc) {
  const box = root.querySelector(".job-controls");
  if (!box) return;
  const focused = document.activeElement;
  const possible = actions(doc);
  for (const button of box.querySelectorAll("[data-control]")) button.hidden = !possible.includes(button.dataset.control);
  const countdown = box.querySelector('[data-field="undoLeft"]');
  const left = `${undoLeft(doc)} s`;
  if (countdown.textContent !== left) countdown.textContent = left;
  if (!box.contains(focused) || !focused.hidden) return;
  // One button took the other's place; or whoever pressed it is still at this job.
  const other = box.querySelector(`[data-control="${OPPOSITE[focused.dataset.control]}"]:not([hidden])`);
  (other ?? root).focus({ preventScroll: true });
}

function press(button) {
  const { sessionId } = button.closest("[data-session-id]").dataset;
  const { control } = button.dataset;
  const doc = sessions.get(sessionId);
  if (control === "cancel" && doc) askToCancel(doc, () => act(sessionId, control));
  if (control === "cancel" || button.ariaDisabled === "true") return;
  // It stays focusable: a button that is switched off loses the focus.
  button.ariaDisabled = "true";
  act(sessionId, control).finally(() => (button.ariaDisabled = null));
}

/** Do `control` with a job, and say what came of it. Never fails. */
async function act(sessionId, control) {
  try {
    const { msg, jobId } = await api(`/crm/jobs/${sessionId}/${control}`, { method: "POST" });
    toast(msg, "success", { about: sessionId });
    if (jobId) await watch(jobId);
    else await live.check([sessionId]);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    toast(error.message, "danger", { about: sessionId });
    live.check([sessionId]);
  }
}

function watch(jobId) {
  noteSeen(jobId);
  sessions.expect(jobId);
  return live.check([jobId]);
}
