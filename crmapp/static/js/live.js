// Keeps this page up to date: by events while they come, by polling while they do not.
//
// Sessions go into sessions.js. Events of this EventTarget: "queue" with the e-mail queue's counts, "health" with
// what is to be said of it, "alerts" with what is wrong with the installation, and "connection" with "live", "polling" or "offline", as `detail`.
import * as hints from "./hints.js";
import { canLead, lead } from "./live/leader.js";
import { pollActive, pollAlerts, pollHealth, pollQueue, pollSession } from "./live/poll.js";
import { Stream } from "./live/stream.js";
import { sessions } from "./sessions.js";

const SILENCE = 3000;
const POLL_BUSY = 2000;
const POLL_IDLE = 10_000;
const SLEPT = 90_000;

// Agents have nothing to do with mail.
const WATCHES_MAIL = document.getElementById("queue-badge") !== null;

// The user is part of the name: the tabs of whoever signed in before must not be heard.
const NAME = `crmapp-live-${document.body.dataset.userId}`;

class Live extends EventTarget {
  #channel = canLead ? new BroadcastChannel(NAME) : null;
  #stream = null; // of the tab that leads
  #open = false; // the stream, here or in the tab that leads
  #overtaken = false; // a poll brought news that the stream should have brought
  #heardAt = performance.now();
  #polledAt = -Infinity;
  #askedAllAt = -Infinity;
  #tickedAt = performance.now();
  #reached = true; // whether the last poll got through
  #polling = false;
  #state = null;
  #queueAt = "";
  #healthAt = "";
  #alertsAt = "";

  start() {
    if (canLead) {
      this.#channel.onmessage = ({ data }) => this.#hearTab(data);
      this.#channel.postMessage({ type: "hello" });
      lead(NAME, () => this.#listen());
    }
    this.check(hints.worthAsking());
    setInterval(() => this.#tick(), 500);
    document.addEventListener("visibilitychange", () => document.hidden || this.check());
    addEventListener("pageshow", (event) => event.persisted && this.check());
    addEventListener("online", () => this.#reconnect());
    addEventListener("offline", () => this.check());
  }

  /** Ask the server now: what is active, the queue, and the sessions `ids`. */
  check(ids = []) {
    return this.#poll({ all: true, ids });
  }

  /** The health of the queue, as it came with an answer. An older one than is known changes nothing. */
  takeHealth(health) {
    if (health.timestamp < this.#healthAt) return;
    this.#healthAt = health.timestamp;
    this.dispatchEvent(new CustomEvent("health", { detail: health }));
  }

  #listen() {
    this.#stream = new Stream(
      (name, data) => {
        this.#channel.postMessage({ type: "event", name, data });
        this.#hear(name, data);
      },
      (open) => {
        this.#channel.postMessage({ type: "stream", open });
        this.#setOpen(open);
      },
    );
    return () => {
      this.#stream.close();
      this.#stream = null;
    };
  }

  #hearTab(message) {
    if (message.type === "event") this.#hear(message.name, message.data);
    if (message.type === "stream") this.#setOpen(message.open);
    if (message.type === "hello" && this.#stream) {
      this.#channel.postMessage({ type: "stream", open: this.#open });
    }
  }

  #hear(name, data) {
    this.#heardAt = performance.now();
    this.#open = true;
    this.#reached = true;
    this.#overtaken = false;
    if (name === "emailQueueUpdate") this.#takeQueue(data);
    else if (name === "emailQueueHealth") this.takeHealth(data);
    else if (name === "alerts") this.#takeAlerts(data);
    else sessions.update(data);
    this.#show();
  }

  #setOpen(open) {
    // From here on counts the silence of a stream that broke.
    if (this.#open && !open) this.#heardAt = performance.now();
    this.#open = open;
    if (open) this.#show();
  }

  #takeQueue(status) {
    if (status.timestamp < this.#queueAt) return;
    this.#queueAt = status.timestamp;
    this.dispatchEvent(new CustomEvent("queue", { detail: status }));
  }

  #takeAlerts(alerts) {
    if (alerts.timestamp < this.#alertsAt) return;
    this.#alertsAt = alerts.timestamp;
    this.dispatchEvent(new CustomEvent("alerts", { detail: alerts.items }));
  }

  #tick() {
    const now = performance.now();
    // Timers that stood still mean that the machine slept, and a connection rarely outlives that.
    if (now - this.#tickedAt > SLEPT) this.#reconnect();
    this.#tickedAt = now;
    this.#show();
    if (document.hidden || this.#polling || now - this.#heardAt < SILENCE) return;
    const running = sessions.running().length > 0;
    if (!running && this.#open && this.#reached) return;
    if (now - this.#polledAt < (running ? POLL_BUSY : POLL_IDLE)) return;
    this.#poll({ all: now - this.#askedAllAt >= POLL_IDLE, ids: [] });
  }

  #reconnect() {
    this.#stream?.reopen();
    this.check();
  }

  async #poll({ all, ids }) {
    this.#polledAt = performance.now();
    if (all) this.#askedAllAt = this.#polledAt;
    this.#polling = true;
    const silentSince = this.#heardAt;
    // What stands still is asked about too now and then: somebody may have gone on with it, or ended it.
    const asked = new Set([...(all ? sessions.unfinished() : sessions.running()), ...ids]);
    const results = await Promise.allSettled([
      ...(WATCHES_MAIL ? [pollQueue().then((status) => this.#takeQueue(status))] : []),
      ...(WATCHES_MAIL ? [pollHealth().then((health) => this.takeHealth(health))] : []),
      ...(WATCHES_MAIL ? [pollAlerts().then((alerts) => this.#takeAlerts(alerts))] : []),
      ...(all ? [pollActive().then((docs) => docs.forEach((doc) => sessions.update(doc)))] : []),
      ...[...asked].map((id) => this.#pollSession(id, silentSince)),
    ]);
    this.#polling = false;
    this.#reached = results.every((result) => result.status === "fulfilled");
    this.#show();
  }

  async #pollSession(id, silentSince) {
    const known = sessions.get(id) !== undefined;
    const doc = await pollSession(id);
    if (doc === null) {
      hints.forget(id);
      sessions.remove(id);
    } else if (doc && sessions.update(doc) && known) {
      this.#overtaken = silentSince === this.#heardAt && performance.now() - silentSince >= SILENCE;
    }
  }

  #show() {
    const fallenSilent = !this.#open && performance.now() - this.#heardAt >= SILENCE;
    let state = this.#state; // a stream that has just broken may be back in a moment
    if (!this.#reached) state = "offline";
    else if (this.#overtaken || fallenSilent) state = "polling";
    else if (this.#open) state = "live";
    if (state === this.#state) return;
    this.#state = state;
    this.dispatchEvent(new CustomEvent("connection", { detail: state }));
  }
}

export const live = new Live();
