// "Add user": a dialog, and an invitation.
import { toast } from "../toast.js";
import { startForm } from "./form.js";
import { reload } from "./reload.js";

const dialog = document.getElementById("add-dialog");

export function startAdd() {
  document.getElementById("add-user").addEventListener("click", () => {
    dialog.querySelector("form").reset();
    dialog.showModal();
  });
  startForm(dialog, send, done);
}

function send(form) {
  return ["/crm/users", { method: "POST", json: Object.fromEntries(new FormData(form)) }];
}

function done({ id, msg }) {
  toast(msg, "success", { link: { href: `/crm/users/${id}`, text: "Open" } });
  reload();
}
