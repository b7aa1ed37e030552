// The large tracker: of one job, beside which the page stays usable. It closes itself when all items are done.
import { count } from "../format.js";
import { sessions } from "../sessions.js";
import { isActivation, stage } from "./stage.js";
import { created } from "./texts.js";
import { show, showTime } from "./view.js";

// Short work is to be seen too, and its end.
const SHOWN_AT_LEAST = 1200;
const END_SHOWN = 700;
const UNDER_WAY = ["work", "paused", "failed", "cancelling", "undoing"];

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

  /** A session that is being started: it will be shown here, so the dock need not show it first. */
  expect(sessionId) {
    if (this.#box.open) this.close();
    this.sessionId = sessionId;
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
    const { sessionId } = this;
    this.sessionId = null;
    const focused = this.#box.contains(document.activeElement);
    this.#box.close();
    this.dispatchEvent(new Event("change"));
    // The button that it was opened with is switched off or gone by now; what the dialog offered goes on in the dock.
    const docked = document.querySelector(`#dock [data-session-id="${sessionId}"]`);
    if (focused) (docked ?? document.getElementById("main")).focus({ preventScroll: true });
  }

  #showStart(sessionId, total) {
    for (const name of ["rev", "activated", "failed", "percentage", "completed", "stage"]) delete this.#box.dataset[name];
    this.#box.dataset.sessionId = sessionId;
    for (const field of this.#box.querySelectorAll(".dialog-body [data-field]")) field.textContent = "";
    for (const button of this.#box.querySelectorAll("[data-control]")) button.hidden = true;
    this.#box.querySelector('[data-field="badge"]').hidden = true;
    this.#box.querySelector('[data-field="title"]').textContent = `Creating ${count(total, "user")}…`;
    this.#box.querySelector('[data-field="okLabel"]').textContent = "Activated";
    this.#box.querySelector("progress").removeAttribute("value");
  }

  #show(doc) {
    if (doc.sessionId !== this.sessionId) return;
    if (this.#closing) return showTime(this.#box, doc);
    show(this.#box, doc);
    if (!UNDER_WAY.includes(stage(doc))) this.#end(doc);
  }

  /** The last moment is still about users; the e-mails are shown in the dock. */
  #end(doc) {
    if (stage(doc) === "mail" && isActivation(doc)) this.#box.querySelector('[data-field="title"]').textContent = created(doc);
    this.#box.querySelector("progress").hidden = false;
    const shown = performance.now() - this.#openedAt;
    this.#closeIn(Math.max(END_SHOWN, SHOWN_AT_LEAST - shown));
  }

  // A button that somebody is about to press is not taken away.
  #closeIn(wait) {
    const isUsed = () => this.#box.querySelector("[data-control]:not([hidden]):is(:hover, :focus)") !== null;
    this.#closing = setTimeout(() => (isUsed() ? this.#closeIn(END_SHOWN) : this.close()), wait);
  }

  #tick() {
    const doc = sessions.get(this.sessionId);
    if (doc && !doc.completed) showTime(this.#box, doc);
  }

  #escape(event) {
    if (event.key === "Escape" && this.#box.open && !document.querySelector("dialog:modal")) this.close();
  }
}

export const trackerDialog = new TrackerDialog();
