// Opens and closes the menu, which a narrow page folds away.
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
}
