// What the page of the documents does besides what every page does: it starts syncs, and shows what they brought.
import { ApiError, api } from "./api.js";
import { startFilter } from "./filter.js";
import { noteSeen } from "./hints.js";
import { live } from "./live.js";
import { showNewest } from "./newest.js";
import { sessions } from "./sessions.js";
import { toast } from "./toast.js";

const LOOK_AGAIN = 10_000;

const sources = document.getElementById("sources");
const ended = new Set(); // the ids of the syncs whose outcome is shown

startFilter();
sources.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-sync]");
  // It is not disabled, because a disabled button loses the focus.
  if (button && button.ariaDisabled !== "true") sync(button);
});
sessions.addEventListener("change", ({ detail: doc }) => take(doc));
sessions.all().forEach(take);
// Another person's sync brings no events.
setInterval(() => !document.hidden && sources.querySelector("[data-under-way]") && refresh(), LOOK_AGAIN);

async function sync(button) {
  button.ariaDisabled = "true";
  try {
    const { jobId } = await api(`/api/ml/sync/${button.dataset.sync}`, { method: "POST" });
    noteSeen(jobId);
    sessions.expect(jobId);
    live.check([jobId]);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    button.ariaDisabled = "false";
    toast(error.message, "danger");
  }
}

/** Take in how a sync stands. */
function take(doc) {
  const source = sources.querySelector(`[data-type="${CSS.escape(doc.type)}"]`);
  if (!source || ended.has(doc.sessionId)) return;
  if (doc.completed) ended.add(doc.sessionId);
  if (doc.completed || doc.status === "failed") refresh();
  else showUnderWay(source, doc.msg);
}

function showUnderWay(source, msg) {
  const words = document.createElement("span");
  words.dataset.underWay = "";
  words.textContent = msg;
  const state = source.querySelector(".source-state");
  state.replaceChildren(words);
  delete state.dataset.shown; // whatever the server says next is newer
  showButtons();
}

async function refresh() {
  await showNewest();
  showButtons();
}

function showButtons() {
  for (const source of sources.children) {
    const underWay = source.querySelector("[data-under-way]") !== null;
    source.querySelector("[data-sync]").ariaDisabled = String(underWay);
  }
}
