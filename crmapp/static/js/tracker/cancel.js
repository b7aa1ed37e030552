// "Cancel…": says what will be kept and what given back, as it stands at this moment, before it is done.
import { count, number } from "../format.js";
import { sessions } from "../sessions.js";
import { isActivation } from "./stage.js";
import { sum } from "./texts.js";

const dialog = document.getElementById("cancel-dialog");
const confirm = document.getElementById("confirm-cancel");
const field = (name) => dialog.querySelector(`[data-field="${name}"]`);

let asked; // the open dialog: {sessionId, act}

export function startCancel() {
  sessions.addEventListener("change", ({ detail }) => dialog.open && detail.sessionId === asked.sessionId && show(detail));
  for (const close of dialog.querySelectorAll("[data-close]")) close.addEventListener("click", () => dialog.close());
  confirm.addEventListener("click", () => {
    dialog.close();
    asked.act();
  });
}

/** Ask whether the job of `doc` is to be cancelled, and call `act()` if it is. */
export function askToCancel(doc, act) {
  asked = { sessionId: doc.sessionId, act };
  show(doc);
  dialog.showModal();
}

function show(doc) {
  const possible = doc.actions.includes("cancel");
  confirm.disabled = !possible;
  field("what").textContent = `${doc.label}: ${sum(doc)}`;
  field("late").hidden = possible;
  field("kept").textContent = kept(doc);
  field("returned").textContent = returned(doc);
  field("pause").hidden = !doc.actions.includes("pause");
}

function kept(doc) {
  if (!doc.ok) return "Nothing has been done yet.";
  if (!isActivation(doc)) return `${count(doc.ok, "item")} that ${are(doc.ok)} done ${doc.ok === 1 ? "stays" : "stay"} done.`;
  return `${count(doc.activated, "user")} created so far, and their invitations.`;
}

function returned(doc) {
  if (!doc.total) return "Nothing was touched yet.";
  const left = number(doc.remaining);
  if (isActivation(doc)) return `${left} of ${count(doc.total, "lead")} not reached yet: they get back the state that they had.`;
  return `${left} of ${count(doc.total, "item")} not reached yet: they stay as they are, and the next run takes them.`;
}

function are(n) {
  return n === 1 ? "is" : "are";
}
