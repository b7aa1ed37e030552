// The newest known state of every session that is to be seen: the progress of a job, of any type.
//
// Events of this EventTarget: "change" with the progress document, and "gone" with {sessionId}, as `detail`.
import { serverNow } from "./clock.js";
import * as hints from "./hints.js";

const STANDING_STILL = ["paused", "failed"];

class Sessions extends EventTarget {
  #docs = new Map();
  #expected = new Set();

  /** A session that exists, of which nothing is known yet: it counts as running until something is. */
  expect(sessionId) {
    if (!this.#docs.has(sessionId)) this.#expected.add(sessionId);
  }

  /** Take a state in. An older one than is known changes nothing. Returns whether it was news. */
  update(doc) {
    const known = this.#docs.get(doc.sessionId);
    if (known && known.rev >= doc.rev) return false;
    const left = doc.completed ? this.#timeLeft(doc) : Infinity;
    // Who has been waiting for its end is told, however late.
    const awaited = this.#expected.delete(doc.sessionId) || known !== undefined;
    if (left <= 0 && !awaited) return false;
    this.#docs.set(doc.sessionId, doc);
    hints.noteSeen(doc.sessionId);
    this.dispatchEvent(new CustomEvent("change", { detail: doc }));
    if (doc.completed) setTimeout(() => this.remove(doc.sessionId), left);
    return true;
  }

  /** A finished session stays for two minutes. */
  #timeLeft(doc) {
    const age = Math.max(0, serverNow() - Date.parse(doc.updatedAt));
    return hints.noteFinished(doc.sessionId, Date.now() - age) + hints.STAY - Date.now();
  }

  /** Show it no more. */
  remove(sessionId) {
    const known = this.#docs.delete(sessionId);
    if (this.#expected.delete(sessionId) || known) {
      this.dispatchEvent(new CustomEvent("gone", { detail: { sessionId } }));
    }
  }

  get(sessionId) {
    return this.#docs.get(sessionId);
  }

  all() {
    return [...this.#docs.values()];
  }

  /** The ids of those that are not complete. */
  unfinished() {
    const known = this.all().filter((doc) => !doc.completed).map((doc) => doc.sessionId);
    return [...this.#expected, ...known];
  }

  /** The ids of those that may change at any moment. */
  running() {
    return this.unfinished().filter((id) => !STANDING_STILL.includes(this.get(id)?.status));
  }
}

export const sessions = new Sessions();
