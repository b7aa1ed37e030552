// Choosing a lead by typing: offers the leads whose name or address begins so.
import { ApiError, api } from "../api.js";

const PAUSE = 200;

export function startLead() {
  const field = document.getElementById("lead");
  const id = document.getElementById("lead-id");
  const options = document.getElementById("lead-options");
  let timer;

  field.addEventListener("input", () => {
    clearTimeout(timer);
    const chosen = [...options.options].find((option) => option.value === field.value);
    if (chosen) id.value = chosen.dataset.id;
    else timer = setTimeout(offer, PAUSE);
  });

  async function offer() {
    const q = field.value.trim();
    const items = q ? await find(q) : [];
    if (q === field.value.trim()) options.replaceChildren(...items.map(optionOf));
  }
}

async function find(q) {
  try {
    return (await api(`/crm/journal/leads?${new URLSearchParams({ q })}`)).items;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return []; // an address can still be typed in full
  }
}

function optionOf({ id, label, company }) {
  const option = document.createElement("option");
  option.value = label;
  option.label = company;
  option.dataset.id = id;
  return option;
}
