// "Assign…", "Status…", "Tag…", "Delete…": asks what is to be done, shows what would happen, and starts the job when that is
// confirmed. The set is frozen by the first preview, so that what was shown is what is done.
import { ApiError, api } from "../api.js";
import { count, number } from "../format.js";
import { noteSeen } from "../hints.js";
import { live } from "../live.js";
import { sessions } from "../sessions.js";
import { BULK_REASONS } from "./reasons.js";
import { selection } from "./selection.js";

const WAIT = 300;
const ACTIONS = {
  assign: { title: "Assign leads", confirm: "Assign", params: assigned },
  status: { title: "Change the status", confirm: "Change", params: stage },
  tag: { title: "Tag leads", confirm: "Tag", params: tags },
  delete: { title: "Delete leads", confirm: "Delete", params: () => ({}) },
};

const dialog = document.getElementById("bulk-dialog");
const form = document.getElementById("bulk-form");
const confirm = document.getElementById("confirm-bulk");
const field = (name) => dialog.querySelector(`[data-field="${name}"]`);
const input = (name) => document.getElementById(`bulk-${name}`);

let asked; // what the open dialog is about: the action, the set, and what was last previewed
let timer;

export function startBulk() {
  const buttons = [...document.querySelectorAll("[data-bulk]")];
  selection.addEventListener("change", () => {
    for (const button of buttons) button.disabled = selection.size === 0;
  });
  for (const button of buttons) {
    if (button.dataset.bulk in ACTIONS) button.addEventListener("click", () => open(button.dataset.bulk));
  }
  for (const close of form.querySelectorAll("[data-close]")) close.addEventListener("click", () => dialog.close());
  form.addEventListener("input", () => preview(WAIT));
  form.addEventListener("submit", start);
}

function open(action) {
  asked = { action, set: selection.body, params: null };
  form.reset();
  document.getElementById("bulk-title").textContent = ACTIONS[action].title;
  for (const part of form.querySelectorAll("[data-fields]")) part.hidden = part.dataset.fields !== action;
  confirm.classList.toggle("btn-danger", action === "delete");
  confirm.classList.toggle("btn-primary", action !== "delete");
  say(`${selection.sizeText} selected.`);
  dialog.showModal();
  form.querySelector(`[data-fields="${action}"] :is(input, select)`)?.focus();
  preview(0);
}

function assigned() {
  const wanted = input("agent").value;
  return wanted && { agentId: wanted === "none" ? null : wanted };
}

function stage() {
  return input("status").value && { status: input("status").value };
}

function tags() {
  const [add, remove] = ["add", "remove"].map((name) => input(name).value.split(/[,;]/).map((tag) => tag.trim()).filter(Boolean));
  return (add.length || remove.length) && { add, remove };
}

/** Show what would happen, once nothing was typed for a while. */
function preview(wait) {
  clearTimeout(timer);
  confirm.disabled = true;
  const params = ACTIONS[asked.action].params();
  asked.params = params;
  if (params) timer = setTimeout(() => look(asked, params), wait);
}

async function look(about, params) {
  say("Checking…");
  try {
    const json = { ...about.set, ...params };
    const seen = await api(`/crm/leads/bulk/${about.action}/preview`, { method: "POST", json, timeout: 0 });
    about.set = { selectionId: seen.selectionId };
    if (asked === about && about.params === params) show(seen);
  } catch (error) {
    if (asked === about && about.params === params) fail(error);
  }
}

function show({ total, toChange, unchanged, skipped, journalEntries }) {
  const verb = asked.action === "delete" ? "deleted" : "changed";
  const journal = journalEntries ? `, and what the journal says of them (${number(journalEntries)})` : "";
  say(toChange ? `${number(toChange)} of ${count(total, "lead")} will be ${verb}${journal}.` : "None of these leads would change.");
  const lines = Object.entries(skipped).map(([reason, n]) => line(`${number(n)} left`, BULK_REASONS[reason] ?? reason));
  if (unchanged) lines.unshift(line(`${number(unchanged)} unchanged`, "they are so already"));
  field("reasons").replaceChildren(...lines);
  confirm.disabled = !toChange;
  if (toChange) confirm.textContent = `${ACTIONS[asked.action].confirm} ${number(toChange)}`;
}

function line(amount, words) {
  const item = document.createElement("li");
  const strong = document.createElement("strong");
  strong.textContent = amount;
  const why = document.createElement("span");
  why.textContent = words;
  item.append(strong, why);
  return item;
}

async function start(event) {
  event.preventDefault();
  if (confirm.disabled) return;
  confirm.disabled = true;
  const about = asked;
  try {
    const json = { ...about.set, ...about.params };
    const { jobId } = await api(`/crm/leads/bulk/${about.action}`, { method: "POST", json });
    if (asked === about) dialog.close();
    if (about.action === "delete") selection.clear();
    follow(jobId);
  } catch (error) {
    // The same set again is the same job.
    if (asked === about) fail(error);
    confirm.disabled = asked !== about || !error.passing;
  }
}

function follow(jobId) {
  noteSeen(jobId);
  sessions.expect(jobId);
  live.check([jobId]);
}

function say(headline) {
  field("headline").textContent = headline;
  field("reasons").replaceChildren();
  field("problem").hidden = true;
  confirm.textContent = ACTIONS[asked.action].confirm;
}

function fail(error) {
  if (!(error instanceof ApiError)) throw error;
  field("headline").textContent = "";
  field("problem").textContent = error.message;
  field("problem").hidden = false;
}
