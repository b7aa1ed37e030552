// The tab's title tells how far a job of one's own has come: "(42 %) Leads · crmapp".
import { sessions } from "./sessions.js";
import { stage } from "./tracker/stage.js";
import { isSearching } from "./tracker/texts.js";

const ME = document.body.dataset.userId;
const PER_CENT = /^\(\d+ %\) /;

export function startTitle() {
  for (const name of ["change", "gone"]) sessions.addEventListener(name, show);
}

function show() {
  const working = sessions.all().filter((doc) => doc.userId === ME && stage(doc) === "work" && !isSearching(doc));
  // Of several, the one that has the longest way to go.
  const least = Math.min(...working.map((doc) => doc.percentage));
  const title = document.title.replace(PER_CENT, "");
  const shown = working.length ? `(${least} %) ${title}` : title;
  if (document.title !== shown) document.title = shown;
}
