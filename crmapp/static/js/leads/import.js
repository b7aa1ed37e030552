// "Import CSV": sends a file, and shows what became of its rows.
import { ApiError, api } from "../api.js";
import { number } from "../format.js";

const MOST_ERRORS = 200; // rows shown: more would only be scrolled past

const dialog = document.getElementById("import-dialog");
const form = document.getElementById("import-form");
const field = (name) => form.querySelector(`[data-field="${name}"]`);
const submit = form.querySelector('[type="submit"]');

let imported = false;

export function startImport() {
  for (const button of document.querySelectorAll("#import-button, [data-opens-import]")) {
    button.addEventListener("click", open);
  }
  for (const button of form.querySelectorAll("[data-close]")) button.addEventListener("click", () => dialog.close());
  form.addEventListener("submit", send);
  // A file that is under way is waited for: half of its rows may be in already.
  dialog.addEventListener("cancel", (event) => form.dataset.step === "busy" && event.preventDefault());
  dialog.addEventListener("close", () => imported && location.reload());
}

function open() {
  form.reset();
  problem("");
  step("choose");
  dialog.showModal();
}

async function send(event) {
  event.preventDefault();
  const data = new FormData(form);
  field("name").textContent = data.get("file").name;
  problem("");
  step("busy");
  try {
    showResult(await api(form.getAttribute("action"), { method: "POST", form: data, timeout: 0 }));
    imported = true;
    step("result");
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    step("choose");
    const advice = error.status === 0 ? " Import the file again: a lead that is there already is only updated." : "";
    problem(error.message + advice);
  }
}

function step(name) {
  form.dataset.step = name;
  for (const part of form.querySelectorAll("[data-step]")) part.hidden = part.dataset.step !== name;
  for (const button of form.querySelectorAll("[data-close]")) button.disabled = name === "busy";
  submit.disabled = name === "busy";
  submit.hidden = name === "result";
  if (name === "result") form.querySelector(".dialog-foot [data-close]").focus();
}

function showResult({ imported, updated, skipped, errors }) {
  for (const [name, value] of Object.entries({ imported, updated, skipped })) field(name).textContent = number(value);
  const rows = errors.slice(0, MOST_ERRORS).map(({ row, reason }) => errorRow(number(row), reason));
  if (errors.length > MOST_ERRORS) rows.push(errorRow("…", `and ${number(errors.length - MOST_ERRORS)} more`));
  field("errors").querySelector("tbody").replaceChildren(...rows);
  field("errors").hidden = errors.length === 0;
}

function errorRow(...cells) {
  const row = document.createElement("tr");
  for (const text of cells) row.insertCell().textContent = text;
  return row;
}

function problem(text) {
  field("problem").textContent = text;
  field("problem").hidden = !text;
}
