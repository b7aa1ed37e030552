// "Activate (N)": shows what would happen, and starts it when that is confirmed.
import { ApiError, api } from "../api.js";
import { count, number } from "../format.js";
import { trackerDialog } from "../tracker/dialog.js";
import { follow } from "../tracker/started.js";
import { REASONS } from "./reasons.js";
import { reload } from "./reload.js";
import { selection } from "./selection.js";

const RETRY_AFTER = [1000, 2000, 4000];

const dialog = document.getElementById("preview-dialog");
const confirm = document.getElementById("confirm-activate");
const field = (name) => dialog.querySelector(`[data-field="${name}"]`);

let wanted; // what the open dialog is about: the selection, and the id of the session that it may become

export function startActivate() {
  const button = document.getElementById("activate");
  selection.addEventListener("change", () => {
    button.disabled = selection.size === 0;
    button.querySelector("span").textContent = `Activate (${selection.sizeText})`;
  });
  button.addEventListener("click", preview);
  confirm.addEventListener("click", activate);
  for (const close of dialog.querySelectorAll("[data-close]")) close.addEventListener("click", () => dialog.close());
}

async function preview() {
  // The id belongs to this dialog, so that a double click or a retry is the same session.
  const asked = { body: selection.body, sessionId: newSessionId() };
  wanted = asked;
  reset(`Checking ${selection.sizeText} selected…`);
  dialog.showModal();
  try {
    const data = await api("/crm/leads/activate/preview", { method: "POST", json: asked.body, timeout: 0 });
    // What was counted is what is activated, whatever matches the filter by then.
    asked.body = { selectionId: data.selectionId };
    if (wanted === asked) showPreview(data);
  } catch (error) {
    if (wanted !== asked) return;
    field("headline").textContent = "";
    showProblem(error, " Close this and try again.");
  }
}

function reset(headline) {
  field("headline").textContent = headline;
  field("reasons").replaceChildren();
  field("problem").hidden = true;
  confirm.textContent = "Activate";
  confirm.disabled = true;
}

function showPreview({ toActivate, skipped, failed }) {
  field("headline").textContent = toActivate
    ? `${count(toActivate, "user")} will be created and invited by e-mail.`
    : "No users will be created: none of these leads can be activated.";
  for (const [outcome, reasons] of [["skipped", skipped], ["failed", failed]]) {
    for (const [reason, n] of Object.entries(reasons)) field("reasons").append(reasonLine(outcome, reason, n));
  }
  if (!toActivate) return;
  confirm.textContent = `Activate ${number(toActivate)}`;
  confirm.disabled = false;
  confirm.focus();
}

function reasonLine(outcome, reason, n) {
  const line = document.createElement("li");
  line.dataset.outcome = outcome;
  const words = document.createElement("span");
  words.textContent = REASONS[reason] ?? reason.replaceAll("_", " ");
  const amount = document.createElement("strong");
  amount.textContent = `${number(n)} ${outcome}`;
  line.append(amount, words);
  return line;
}

async function activate() {
  const asked = wanted;
  confirm.disabled = true;
  confirm.textContent = "Starting…";
  field("problem").hidden = true;
  trackerDialog.expect(asked.sessionId);
  try {
    const { sessionId, total } = await post({ ...asked.body, sessionId: asked.sessionId });
    if (wanted === asked) dialog.close();
    selection.clear();
    follow(sessionId, total);
    reload();
  } catch (error) {
    if (trackerDialog.sessionId === asked.sessionId) trackerDialog.close();
    if (wanted !== asked) return;
    showProblem(error, " Nothing is lost: try again, and nothing is started twice.");
    confirm.textContent = "Try again";
    confirm.disabled = false;
  }
}

async function post(json) {
  for (const wait of RETRY_AFTER) {
    try {
      return await api("/crm/leads/activate", { method: "POST", json });
    } catch (error) {
      if (!(error instanceof ApiError && error.passing)) throw error;
      field("problem").textContent = `${error.message} Trying again…`;
      field("problem").hidden = false;
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
  return api("/crm/leads/activate", { method: "POST", json });
}

function showProblem(error, advice) {
  if (!(error instanceof ApiError)) throw error;
  field("problem").textContent = error.message + (error.passing ? advice : "");
  field("problem").hidden = false;
}

function newSessionId() {
  const random = crypto.getRandomValues(new Uint8Array(12));
  return `activation_${Date.now()}_${Array.from(random, (byte) => (byte % 36).toString(36)).join("")}`;
}
