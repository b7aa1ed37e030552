// Filters that are kept under a name.
import { ApiError, api } from "../api.js";
import { toast } from "../toast.js";

const menu = document.getElementById("saved");
const list = document.getElementById("saved-list");
const form = document.getElementById("save-filter");
const problem = document.getElementById("save-filter-problem");
const name = document.getElementById("filter-name");

export function startSaved() {
  form.addEventListener("submit", save);
  list.addEventListener("click", ({ target }) => target.closest("[data-delete-filter]") && remove(target.closest("li")));
  menu.addEventListener("keydown", (event) => event.key === "Escape" && close());
  document.addEventListener("click", ({ target }) => menu.contains(target) || (menu.open = false));
}

function close() {
  menu.open = false;
  menu.querySelector("summary").focus();
}

async function save(event) {
  event.preventDefault();
  problem.hidden = true;
  const query = JSON.parse(document.getElementById("leads").dataset.query);
  try {
    show(await api("/crm/leads/filters", { method: "POST", json: { name: name.value, query } }));
    toast(`The filter “${name.value}” is saved.`);
    form.reset();
    close();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    problem.textContent = error.message;
    problem.hidden = false;
    name.focus();
  }
}

function show({ id, name, url }) {
  const row = [...list.children].find((other) => other.dataset.id === id) ?? list.appendChild(newRow(id, name));
  row.querySelector("a").href = url;
  document.getElementById("saved-none").hidden = true;
}

function newRow(id, name) {
  const row = document.createElement("li");
  row.dataset.id = id;
  const link = document.createElement("a");
  link.textContent = name;
  const remove = document.createElement("button");
  Object.assign(remove, { type: "button", className: "btn btn-quiet", title: "Delete this filter" });
  remove.dataset.deleteFilter = "";
  remove.ariaLabel = `Delete the filter ${name}`;
  const icon = document.createElement("i");
  icon.className = "bi bi-trash";
  icon.ariaHidden = "true";
  remove.append(icon);
  row.append(link, remove);
  return row;
}

async function remove(row) {
  try {
    await api(`/crm/leads/filters/${row.dataset.id}`, { method: "DELETE" });
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 404)) return toast(error.message, "danger");
  }
  row.remove();
  document.getElementById("saved-none").hidden = list.children.length > 0;
  menu.querySelector("summary").focus();
}
