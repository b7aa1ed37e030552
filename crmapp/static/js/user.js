// "Send the invitation again" on a user's page.
import { ApiError, api } from "./api.js";
import { showNewest } from "./newest.js";
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
