// "Delete…": asks first. The dialog holds the form that deletes.
export function startDelete() {
  const dialog = document.getElementById("delete-dialog");
  document.getElementById("delete")?.addEventListener("click", () => dialog.showModal());
  for (const close of dialog?.querySelectorAll("[data-close]") ?? []) close.addEventListener("click", () => dialog.close());
}
