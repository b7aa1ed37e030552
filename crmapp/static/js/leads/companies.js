// Suggests companies for the filter while their name is typed.
import { ApiError, api } from "../api.js";

const WAIT = 200;

export function startCompanies() {
  const field = document.getElementById("company");
  const list = document.getElementById("companies");
  let timer;
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => suggest(field.value, list), WAIT);
  });
}

async function suggest(q, list) {
  try {
    const { items } = await api(`/crm/leads/companies?q=${encodeURIComponent(q)}`);
    list.replaceChildren(...items.map((name) => new Option("", name)));
  } catch (error) {
    if (!(error instanceof ApiError)) throw error; // it can be typed as well
  }
}
