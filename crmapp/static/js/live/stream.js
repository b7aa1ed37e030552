// The server's event stream. The browser reopens one that broke off; one that was refused is reopened here.
const EVENTS = ["progress", "complete", "job", "emailQueueUpdate", "emailQueueHealth", "alerts"];
const LONGEST_WAIT = 30_000;

/** Calls `onEvent(name, data)` for every event and `onOpen(open)` when the stream opens or breaks. */
export class Stream {
  #source = null;
  #timer = 0;
  #wait = 1000;

  constructor(onEvent, onOpen) {
    this.onEvent = onEvent;
    this.onOpen = onOpen;
    this.#open();
  }

  /** Drop a connection that may be dead without knowing it, and connect again at once. */
  reopen() {
    this.close();
    this.#open();
  }

  close() {
    clearTimeout(this.#timer);
    this.#source.close();
    this.onOpen(false);
  }

  #open() {
    const source = new EventSource("/stream");
    this.#source = source;
    source.onopen = () => {
      this.#wait = 1000;
      this.onOpen(true);
    };
    source.onerror = () => {
      this.onOpen(false);
      if (source.readyState === EventSource.CLOSED) this.#openLater();
    };
    for (const name of EVENTS) {
      source.addEventListener(name, (event) => this.onEvent(name, JSON.parse(event.data)));
    }
  }

  #openLater() {
    this.#timer = setTimeout(() => this.#open(), this.#wait);
    this.#wait = Math.min(2 * this.#wait, LONGEST_WAIT);
  }
}
