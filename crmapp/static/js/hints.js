// What this browser remembers of sessions between pages. Only a hint: the server says what runs.
// Per session id: seenAt, and finishedAt and dismissed (the status that it had then) once they are so; and what its
// person was told, apart, because tabs that write at the same time overwrite each other.
// Times are this machine's, in ms.
const KEY = `crmapp.sessions.${document.body.dataset.userId}`;
const TOLD = `crmapp.told.${document.body.dataset.userId}`;
const FORGET_AFTER = 24 * 3600_000;

export const STAY = 120_000;

function read(key = KEY) {
  try {
    const hints = JSON.parse(localStorage.getItem(key)) ?? {};
    return Object.fromEntries(Object.entries(hints).filter(([, hint]) => Date.now() - hint.seenAt < FORGET_AFTER));
  } catch {
    return {};
  }
}

function note(id, more, key = KEY) {
  const hints = read(key);
  hints[id] = { ...hints[id], seenAt: Date.now(), ...more };
  try {
    localStorage.setItem(key, JSON.stringify(hints));
  } catch {
    // Storage is full or switched off: a finished tracker is then gone after a refresh.
  }
}

export function noteSeen(id) {
  if (!read()[id]) note(id, {});
}

/** Returns when this browser first saw it finished. */
export function noteFinished(id, finishedAt) {
  const known = read()[id]?.finishedAt;
  if (known) return known;
  note(id, { finishedAt });
  return finishedAt;
}

/** What stands still is dismissed as it is: it is shown again once it goes on. */
export function noteDismissed(id, status) {
  note(id, { dismissed: status });
}

export function isDismissed(id, status) {
  return read()[id]?.dismissed === status;
}

/** What this browser's person was told last of a session, {what, at}; undefined where nothing was. */
export function told(id) {
  return read(TOLD)[id];
}

export function noteTold(id, what) {
  note(id, { what, at: Date.now() }, TOLD);
}

/** The sessions that may still have something to show: not dismissed, and not finished for long. */
export function worthAsking() {
  return Object.entries(read())
    .filter(([, hint]) => !hint.dismissed && Date.now() - (hint.finishedAt ?? Date.now()) < STAY)
    .map(([id]) => id);
}

export function forget(id) {
  const hints = read();
  delete hints[id];
  localStorage.setItem(KEY, JSON.stringify(hints));
}

/** Call `then()` when another tab may have dismissed a session. */
export function onDismissedElsewhere(then) {
  addEventListener("storage", (event) => event.key === KEY && then());
}
