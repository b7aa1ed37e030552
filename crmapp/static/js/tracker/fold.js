// Folds the trackers in the corner away: many of them cover too much of a page. What can be undone stays in sight.
import { count } from "../format.js";

const KEY = "crmapp.dock";
// More than this are folded unless somebody wants it otherwise.
const MOST = matchMedia("(max-width: 44rem)").matches ? 1 : 2;

const button = document.getElementById("dock-fold");
const list = document.getElementById("dock-list");

export function startFold() {
  button.addEventListener("click", () => {
    keep(list.classList.contains("folded") ? "open" : "folded");
    show();
  });
  new MutationObserver(show).observe(list, { childList: true });
}

function show() {
  const jobs = list.children.length;
  const folded = jobs > 1 && (wanted() ?? (jobs > MOST ? "folded" : "open")) === "folded";
  list.classList.toggle("folded", folded);
  button.hidden = jobs < 2;
  button.setAttribute("aria-expanded", String(!folded));
  button.querySelector("[data-field]").textContent = count(jobs, "job");
}

function wanted() {
  return sessionStorage.getItem(KEY);
}

function keep(choice) {
  sessionStorage.setItem(KEY, choice);
}
