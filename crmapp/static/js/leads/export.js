// "Export": the selected leads as a CSV file. They are frozen as a set first, because an address holds no thousand ids.
import { ApiError, api } from "../api.js";
import { toast } from "../toast.js";
import { selection } from "./selection.js";

export function startExport() {
  const button = document.querySelector('[data-bulk="export"]');
  button?.addEventListener("click", async () => {
    try {
      const { selectionId } = await api("/crm/leads/selections", { method: "POST", json: selection.body });
      location.assign(`/crm/leads/export.csv?selectionId=${selectionId}`);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      toast(error.message, "danger");
    }
  });
}
