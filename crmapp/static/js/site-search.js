// The search on top of every page: "/" goes there, Escape goes back.
import { onKey } from "./keys.js";

export function startSiteSearch() {
  const field = document.getElementById("site-search");
  let before = null; // where the focus was

  onKey("/", "Search", () => {
    before = document.activeElement;
    field.focus();
    field.select();
  });
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault(); // what is typed stays
    if (before?.isConnected && before !== document.body) before.focus();
    else field.blur();
  });
}
