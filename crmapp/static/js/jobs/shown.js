// The job that the page is about: its numbers follow at once, and what the server made of it is shown anew whenever its
// state changes or another job comes of it.
import { live } from "../live.js";
import { showNewest } from "../newest.js";
import { sessions } from "../sessions.js";
import { stage } from "../tracker/stage.js";
import { show, showTime } from "../tracker/view.js";

const box = document.getElementById("job");
const id = box.dataset.sessionId;

let shown = ""; // the state that the server-made parts tell of
let retry = ""; // the newest job that is known to retry this one

export function startShown() {
  sessions.addEventListener("change", ({ detail: doc }) => {
    if (doc.sessionId === id) follow(doc);
    if (doc.retryOf === id && doc.sessionId !== retry) {
      retry = doc.sessionId;
      showNewest();
    }
  });
  sessions.addEventListener("gone", ({ detail }) => detail.sessionId === id && showNewest());
  setInterval(() => sessions.get(id) && showTime(box, sessions.get(id)), 1000);
  if ("live" in box.dataset) {
    sessions.expect(id);
    live.check([id]);
  }
}

function follow(doc) {
  show(box, doc);
  // The first errors are shown at once, and all of them at the end.
  const state = [stage(doc), doc.completed, doc.failed > 0, doc.skipped > 0].join(" ");
  if (shown && shown !== state) showNewest();
  shown = state;
}
