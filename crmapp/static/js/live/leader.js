// One tab of the browser leads: it holds a Web Lock, listens to the server, and tells the others.

/** Calls `start()` when this tab comes to lead; what it returns is called when it ceases to, as the page is left. */
export function lead(name, start) {
  let leave = () => {};

  function stand() {
    const waiting = new AbortController();
    leave = () => waiting.abort();
    navigator.locks
      .request(name, { signal: waiting.signal }, () => {
        const stop = start();
        return new Promise((release) => {
          leave = () => {
            stop();
            release();
          };
        });
      })
      .catch(ignoreAbort);
  }

  // A page in the back-forward cache must hold neither the lock nor a connection.
  addEventListener("pagehide", () => leave());
  addEventListener("pageshow", (event) => event.persisted && stand());
  stand();
}

function ignoreAbort(error) {
  if (error.name !== "AbortError") throw error;
}

/** Whether this browser can have a leader: locks need a secure page (https or this machine itself). */
export const canLead = "locks" in navigator && "BroadcastChannel" in window;
