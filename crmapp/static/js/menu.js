// The menu: its keys, and its opening and closing where a narrow page folds it away.
import { onKey } from "./keys.js";

export function startMenu() {
  const button = document.getElementById("menu-button");
  const menu = document.getElementById("menu");

  function set(open) {
    button.setAttribute("aria-expanded", String(open));
    menu.classList.toggle("open", open);
  }

  button.addEventListener("click", () => set(!menu.classList.contains("open")));
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    set(false);
    button.focus();
  });
  for (const link of menu.querySelectorAll("[data-key]")) {
    onKey(link.dataset.key, `Go to ${link.dataset.name}`, () => location.assign(link.href));
  }
}
