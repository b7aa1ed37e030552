// "Send the invitation again" on a user's page.
import { ApiError, api } from "./api.js";
import { newestPage } from "./newest.js";
import { showTimes } from "./times.js";
import { toast } from "./toast.js";

const button = document.getElementById("invite-again");
button?.addEventListener("click", send);

async function send() {
  button.disabled = true;
  try {
    const { msg, outcome } = await api(`/crm/users/${button.dataset.userId}/invitation`, { method: "POST" });
    toast(msg, outcome === "already_waiting" ? "warning" : "success");
    await showNewest();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    toast(error.message, "danger");
  } finally {
    button.disabled = false;
  }
}

async function showNewest() {
  const page = await newestPage();
  if (!page) return;
  document.getElementById("user").replaceChildren(...page.getElementById("user").children);
  showTimes();
}
