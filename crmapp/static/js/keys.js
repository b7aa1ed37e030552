// The keys of the page, and the list of them under "?". They are left alone while somebody types, while a dialog is
// open, and together with Ctrl, Alt or the command key.

const WAIT = 1000; // for the next key of a sequence
const NOT_TYPED_IN = ["button", "checkbox", "color", "file", "image", "radio", "range", "reset", "submit"];
const PRESSED = ["Enter", " "]; // by these keys links and buttons are used

const keys = new Map(); // "g l" -> {description, handler}
let pressed = []; // the beginning of a sequence
let timer = 0;

/** Call `handler(event)` when `key` is pressed: an event's key, such as "/" or "Enter", or some one after the other, as in
 * "g l". A handler that returns false had no use for it. `description` stands in the list of keys. */
export function onKey(key, description, handler) {
  keys.set(key, { description, handler });
}

export function startKeys() {
  document.addEventListener("keydown", (event) => !isTaken(event) && press(event));
  const dialog = document.getElementById("keys-dialog");
  onKey("?", "Show this list", () => open(dialog));
  document.getElementById("keys-button").addEventListener("click", () => open(dialog));
  dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close());
}

function isTaken(event) {
  if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return true;
  if (document.querySelector("dialog:modal")) return true;
  const { target } = event;
  if (target.matches("textarea, select, [contenteditable]")) return true;
  if (target.matches("input") && !NOT_TYPED_IN.includes(target.type)) return true;
  return PRESSED.includes(event.key) && target.matches("a, button, input, summary");
}

function press(event) {
  if (["Shift", "CapsLock"].includes(event.key)) return;
  clearTimeout(timer);
  // What does not go on with a sequence may begin anew.
  const sequence = [[...pressed, event.key], [event.key]].find(isKnown) ?? [];
  const key = keys.get(sequence.join(" "));
  pressed = key ? [] : sequence;
  timer = setTimeout(() => (pressed = []), WAIT);
  if (key && key.handler(event) !== false) event.preventDefault();
}

function isKnown(sequence) {
  const begun = sequence.join(" ");
  return [...keys.keys()].some((key) => key === begun || key.startsWith(`${begun} `));
}

function open(dialog) {
  dialog.querySelector("dl").replaceChildren(...[...keys].map(row));
  dialog.showModal();
}

function row([key, { description }]) {
  const row = document.createElement("div");
  const name = document.createElement("dt");
  name.append(...key.split(" ").flatMap((one) => [cap(one), " "]));
  const what = document.createElement("dd");
  what.textContent = description;
  row.append(name, what);
  return row;
}

function cap(key) {
  const cap = document.createElement("kbd");
  cap.textContent = key;
  return cap;
}
