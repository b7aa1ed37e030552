// "Role…", "Invite again…", "Enable…", "Disable…": shows what would become of each who is selected, does it when that is
// confirmed, and shows what has become of each.
import { ApiError, api } from "../api.js";
import { count, number } from "../format.js";
import { reload } from "./reload.js";
import { selection } from "./selection.js";

const ACTIONS = {
  role: {
    title: "Change the role",
    confirm: "Change",
    done: "changed",
    already: "Has this role already.",
    meaning: "Another role signs them out everywhere.",
  },
  reinvite: {
    title: "Invite again",
    confirm: "Invite",
    done: "invited",
    meaning: "Each gets a new link. The links that they have open nothing any more.",
  },
  enable: {
    title: "Enable accounts",
    confirm: "Enable",
    done: "enabled",
    already: "Is enabled already.",
    meaning: "They can sign in again with the password that they had.",
  },
  disable: {
    title: "Disable accounts",
    confirm: "Disable",
    done: "disabled",
    already: "Is disabled already.",
    meaning: "They are signed out everywhere at once and cannot sign in any more.",
  },
};

const dialog = document.getElementById("bulk-dialog");
const form = document.getElementById("bulk-form");
const confirm = document.getElementById("confirm-bulk");
const role = document.getElementById("bulk-role");
const leave = form.querySelector(".dialog-foot [data-close]");
const field = (name) => dialog.querySelector(`[data-field="${name}"]`);

let asked; // what the open dialog is about: {action, json}

export function startBulk() {
  const buttons = [...document.querySelectorAll("[data-bulk]")];
  selection.addEventListener("change", () => {
    for (const button of buttons) button.disabled = selection.size === 0;
  });
  for (const button of buttons) button.addEventListener("click", () => open(button.dataset.bulk));
  for (const close of form.querySelectorAll("[data-close]")) close.addEventListener("click", () => dialog.close());
  role.addEventListener("change", preview);
  form.addEventListener("submit", run);
}

function open(action) {
  const { title, meaning } = ACTIONS[action];
  asked = { action, json: selection.body };
  form.reset();
  document.getElementById("bulk-title").textContent = title;
  document.getElementById("bulk-role-choice").hidden = action !== "role";
  field("meaning").textContent = meaning;
  confirm.hidden = false;
  confirm.classList.toggle("btn-danger", action === "disable");
  confirm.classList.toggle("btn-primary", action !== "disable");
  leave.textContent = "Cancel";
  say("");
  dialog.showModal();
  if (action !== "role") preview();
}

async function preview() {
  const about = { ...asked, json: { userIds: asked.json.userIds } };
  if (about.action === "role") about.json.role = role.value;
  asked = about;
  say("Checking…");
  try {
    const seen = await post("/preview", about);
    if (asked === about) showPreview(seen);
  } catch (error) {
    if (asked === about) fail(error);
  }
}

function showPreview({ items, done }) {
  const { done: word, confirm: verb } = ACTIONS[asked.action];
  say(done ? `${number(done)} of ${count(items.length, "account")} will be ${word}.` : `None of these accounts would be ${word}.`);
  showItems(items.filter((item) => !item.ok));
  confirm.disabled = !done;
  if (!done) return;
  confirm.textContent = `${verb} ${number(done)}`;
  confirm.focus();
}

async function run(event) {
  event.preventDefault();
  if (confirm.disabled) return;
  confirm.disabled = true;
  const about = asked;
  try {
    const outcome = await post("", about);
    selection.clear();
    reload();
    if (asked === about) showOutcome(outcome);
  } catch (error) {
    if (asked !== about) return;
    fail(error);
    confirm.disabled = !(error instanceof ApiError && error.passing);
  }
}

function showOutcome({ items, done }) {
  field("meaning").textContent = "";
  document.getElementById("bulk-role-choice").hidden = true;
  say(`${number(done)} of ${count(items.length, "account")} ${ACTIONS[asked.action].done}.`);
  showItems(items);
  confirm.hidden = true;
  leave.textContent = "Close";
  leave.focus();
}

function post(path, { action, json }) {
  return api(`/crm/users/bulk/${action}${path}`, { method: "POST", json, timeout: 0 });
}

function showItems(items) {
  field("items").replaceChildren(...items.map(line));
}

function line({ ok, name, email, reason, msg }) {
  const item = document.createElement("li");
  item.dataset.ok = ok;
  const icon = document.createElement("i");
  icon.className = ok ? "bi bi-check-lg" : "bi bi-dash-circle";
  icon.ariaHidden = "true";
  const who = document.createElement("span");
  who.textContent = name || email || "Somebody who is no more there";
  item.append(icon, who);
  if (msg) {
    const why = document.createElement("small");
    why.textContent = reason === "unchanged" ? ACTIONS[asked.action].already : msg;
    item.append(why);
  }
  return item;
}

function say(headline) {
  field("headline").textContent = headline;
  field("items").replaceChildren();
  field("problem").hidden = true;
  confirm.textContent = ACTIONS[asked.action].confirm;
  confirm.disabled = true;
}

function fail(error) {
  if (!(error instanceof ApiError)) throw error;
  field("headline").textContent = "";
  field("problem").textContent = error.message;
  field("problem").hidden = false;
}
