// "Retry": one mail, those selected, or a group.
import { ApiError, api } from "../api.js";
import { toast } from "../toast.js";
import { refresh } from "./refresh.js";
import { idOf, markGone, rowOf } from "./rows.js";
import { selection } from "./selection.js";

const list = document.getElementById("queue-list");
const selected = document.getElementById("retry-selected");

export function startActions() {
  selection.addEventListener("change", () => {
    selected.disabled = selection.size === 0;
    selected.querySelector("span").textContent = label();
  });
  selected.addEventListener("click", retrySelected);
  list.addEventListener("click", ({ target }) => target.closest(".row-retry") && retryRow(rowOf(target)));
  document.getElementById("groups")?.addEventListener("click", ({ target }) => {
    const button = target.closest(".group-retry");
    if (button) retryGroup(button);
  });
}

function label() {
  if (selection.size === 0) return "Retry";
  return selection.isEverything ? `Retry all ${selection.sizeText} that match` : `Retry ${selection.sizeText}`;
}

async function retryRow(row) {
  const answer = await retry({ ids: [idOf(row)] }, row.querySelector(".row-retry"));
  if (!answer) return;
  markGone(row, answer.requeued ? "Requeued" : "Moved on");
  refresh();
}

async function retrySelected() {
  if (!(await retry(selection.body, selected))) return;
  selection.clear();
  list.focus({ preventScroll: true });
  refresh({ replace: true });
}

async function retryGroup(button) {
  const { reason } = button.closest(".group").dataset;
  const filter = { ...JSON.parse(list.dataset.filter), reason };
  if (await retry({ filter }, button)) refresh();
}

/** What the server did; undefined where it could not. */
async function retry(json, button) {
  button.disabled = true;
  try {
    const answer = await api("/crm/email-queue/failed/retry", { method: "POST", json, timeout: 0 });
    toast(answer.msg, answer.requeued ? "success" : "warning");
    return answer;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    toast(error.message, "danger");
    return undefined;
  } finally {
    button.disabled = false;
  }
}
