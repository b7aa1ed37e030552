// The number of jobs that are not over, beside the link to their page. Nothing where there are none.
import { number } from "./format.js";
import { sessions } from "./sessions.js";

export function startJobsBadge() {
  const badge = document.getElementById("jobs-badge");

  function show() {
    const active = sessions.unfinished().length;
    badge.dataset.active = active;
    badge.hidden = active === 0;
    badge.querySelector("[data-field]").textContent = number(active);
  }

  for (const name of ["change", "gone"]) sessions.addEventListener(name, show);
}
