// What a user's page does besides what every page does: the buttons of its head.
import { ApiError, api } from "./api.js";
import { showNewest } from "./newest.js";
import { toast } from "./toast.js";
import { startForm } from "./users/form.js";

const path = `/crm/users/${document.getElementById("user").dataset.id}`;
const editing = document.getElementById("edit-dialog");
const disabling = document.getElementById("disable-dialog");
const DO = { invite, enable, edit, disable: () => disabling.showModal() };

document.getElementById("user-head").addEventListener("click", ({ target }) => {
  const button = target.closest("[data-do]");
  if (button) DO[button.dataset.do](button);
});
if (editing) {
  startForm(editing, (form) => change(Object.fromEntries(new FormData(form))), () => tell("Saved."));
  startForm(disabling, () => change({ status: "disabled" }), () => tell("The account is disabled."));
}

function edit({ dataset: { name, role } }) {
  const { elements } = editing.querySelector("form");
  elements.name.value = name;
  elements.role.value = role;
  editing.showModal();
}

function change(json) {
  return [path, { method: "PATCH", json }];
}

async function invite(button) {
  const answer = await press(button, `${path}/invitation`, { method: "POST" });
  if (answer) tell(answer.msg, answer.outcome === "already_waiting" ? "warning" : "success");
}

async function enable(button) {
  const answer = await press(button, ...change({ status: "active" }));
  if (answer) tell(answer.status === "invited" ? "The account is enabled. Its password is still to be chosen: send the invitation again." : "The account is enabled.");
}

/** What the server did; undefined where it could not. */
async function press(button, ...call) {
  button.disabled = true;
  try {
    return await api(...call);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    toast(error.message, "danger");
    return undefined;
  } finally {
    button.disabled = false;
  }
}

function tell(msg, kind) {
  toast(msg, kind);
  showNewest();
}
