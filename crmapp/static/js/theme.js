// The choice of light, dark, or as the system has it. theme-boot.js applies it.
const KEY = "crmapp.theme";

export function startTheme() {
  const choice = document.getElementById("theme-choice");
  choice.querySelector(`[value="${localStorage.getItem(KEY) ?? "auto"}"]`).checked = true;
  choice.addEventListener("change", (event) => {
    localStorage.setItem(KEY, event.target.value);
    dispatchEvent(new Event("crmapp:theme"));
  });
}
