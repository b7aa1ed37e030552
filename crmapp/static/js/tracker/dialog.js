// The large tracker: of one session, beside which the page stays usable. It closes itself when all users exist.
import { count } from "../format.js";
import { sessions } from "../sessions.js";
import { created } from "./texts.js";
import { show, showTime } from "./view.js";

// Short work is to be seen too, and its end.
const SHOWN_AT_LEAST = 1200;
const END_SHOWN = 700;

class TrackerDialog extends EventTarget {
  #box = document.getElementById("progress-dialog");
  #openedAt = 0;
  #closing = 0;
  sessionId = null;

  start() {
    document.getElementById("minimise").addEventListener("click", () => this.close());
    document.addEventListener("keydown", (event) => this.#escape(event));
    sessions.addEventListener("change", ({ detail }) => this.#show(detail));
    sessions.addEventListener("gone", ({ detail }) => detail.sessionId === this.sessionId && this.close());
    setInterval(() => this.#tick(), 1000);
  }

  /** Show a session, of which perhaps only its number of leads is known yet. */
  open(sessionId, total) {
    clearTimeout(this.#closing);
    this.#closing = 0;
    this.#openedAt = performance.now();
    this.sessionId = sessionId;
    const doc = sessions.get(sessionId);
    if (doc) this.#show(doc);
    else this.#showStart(sessionId, total);
    if (!this.#box.open) this.#box.show();
    this.dispatchEvent(new Event("change"));
  }

  /** Leave the session to the dock. */
  close() {
    clearTimeout(this.#closing);
    this.sessionId = null;
    const focused = this.#box.contains(document.activeElement);
    this.#box.close();
    // The button that it was opened with is switched off or gone by now.
    if (focused) document.getElementById("main").focus({ preventScroll: true });
    this.dispatchEvent(new Event("change"));
  }

  #showStart(sessionId, total) {
    for (const name of ["rev", "activated", "failed", "percentage", "completed", "phase"]) delete this.#box.dataset[name];
    this.#box.dataset.sessionId = sessionId;
    for (const field of this.#box.querySelectorAll("[data-field]")) field.textContent = "";
    this.#box.querySelector('[data-field="title"]').textContent = `Creating ${count(total, "user")}…`;
    this.#box.querySelector("progress").removeAttribute("value");
  }

  #show(doc) {
    if (doc.sessionId !== this.sessionId || this.#closing) return;
    show(this.#box, doc);
    if (doc.usersDone) this.#end(doc);
  }

  /** The last moment is still about users; the e-mails are shown in the dock. */
  #end(doc) {
    this.#box.querySelector('[data-field="title"]').textContent = created(doc);
    this.#box.querySelector("progress").hidden = false;
    const shown = performance.now() - this.#openedAt;
    this.#closing = setTimeout(() => this.close(), Math.max(END_SHOWN, SHOWN_AT_LEAST - shown));
  }

  #tick() {
    const doc = sessions.get(this.sessionId);
    if (doc && !doc.usersDone) showTime(this.#box, doc);
  }

  #escape(event) {
    if (event.key === "Escape" && this.#box.open && !document.querySelector("dialog:modal")) this.close();
  }
}

export const trackerDialog = new TrackerDialog();
