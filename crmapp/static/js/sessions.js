// The newest known state of every session that is to be seen.
//
// Events of this EventTarget: "change" with the progress document, and "gone" with {sessionId}, as `detail`.
import { serverNow } from "./clock.js";
import * as hints from "./hints.js";

class Sessions extends EventTarget {
  #docs = new Map();
  #expected = new Set();

  /** A session that exists, of which nothing is known yet: it counts as running until something is. */
  expect(sessionId) {
    this.#expected.add(sessionId);
  }

  /** Take a state in. An older one than is known changes nothing. Returns whether it was news. */
  update(doc) {
    this.#expected.delete(doc.sessionId);
    const known = this.#docs.get(doc.sessionId);
    if (known && known.rev >= doc.rev) return false;
    if (hints.isDismissed(doc.sessionId)) return false;
    if (doc.completed && !this.#stays(doc)) return false;
    this.#docs.set(doc.sessionId, doc);
    hints.noteSeen(doc.sessionId);
    this.dispatchEvent(new CustomEvent("change", { detail: doc }));
    return true;
  }

  /** A finished session stays for two minutes. Returns whether any of them are left, and removes it after. */
  #stays(doc) {
    const age = Math.max(0, serverNow() - Date.parse(doc.updatedAt));
    const left = hints.noteFinished(doc.sessionId, Date.now() - age) + hints.STAY - Date.now();
    if (left > 0) setTimeout(() => this.remove(doc.sessionId), left);
    return left > 0;
  }

  /** Show it no more. */
  remove(sessionId) {
    this.#expected.delete(sessionId);
    if (!this.#docs.delete(sessionId)) return;
    this.dispatchEvent(new CustomEvent("gone", { detail: { sessionId } }));
  }

  /** Show it no more, in any tab of this browser. */
  dismiss(sessionId) {
    hints.noteDismissed(sessionId);
    this.remove(sessionId);
  }

  get(sessionId) {
    return this.#docs.get(sessionId);
  }

  all() {
    return [...this.#docs.values()];
  }

  /** The ids of those that are not complete. */
  running() {
    const known = this.all().filter((doc) => !doc.completed).map((doc) => doc.sessionId);
    return [...this.#expected, ...known];
  }
}

export const sessions = new Sessions();

hints.onDismissedElsewhere((sessionId) => sessions.remove(sessionId));
