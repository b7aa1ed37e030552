// Sentences with times in them, kept true every second. The server writes a time as a token: {at:ISO} is shown as
// a clock time, {in:ISO} counts down to it, {for:ISO} says how long ago it was.
import { serverNow } from "./clock.js";

const TOKEN = /\{(at|in|for):([^}]+)\}/;
const CLOCK = new Intl.DateTimeFormat("en-GB", { timeStyle: "short" });
const DAY_AND_CLOCK = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const EXACT = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });
const WORDS = {
  at: (time) => (time.toDateString() === new Date().toDateString() ? CLOCK : DAY_AND_CLOCK).format(time),
  in: (time) => (time > serverNow() ? roughly((time - serverNow()) / 1000) : "a moment"),
  for: (time) => roughly((serverNow() - time) / 1000),
};

/** Show `text`, with its tokens as times, in `element`. */
export function showSentence(element, text) {
  element.dataset.text = text;
  // Splitting by a pattern with two groups gives: words, kind, time, words, kind, time, words.
  const parts = text.split(TOKEN);
  const nodes = [document.createTextNode(parts[0])];
  for (let i = 1; i < parts.length; i += 3) nodes.push(timeNode(parts[i], parts[i + 1]), document.createTextNode(parts[i + 2]));
  element.replaceChildren(...nodes);
}

/** Fill every element of `root` that has a data-text attribute. */
export function showSentences(root = document) {
  for (const element of root.querySelectorAll("[data-text]")) showSentence(element, element.dataset.text);
}

export function startSentences() {
  showSentences();
  setInterval(() => document.querySelectorAll("time[data-token]").forEach(show), 1000);
}

function timeNode(kind, iso) {
  const node = document.createElement("time");
  node.dateTime = iso;
  node.dataset.token = kind;
  node.title = EXACT.format(new Date(iso));
  // Inside of a live region it would be read aloud every second.
  node.setAttribute("aria-live", "off");
  show(node);
  return node;
}

function show(node) {
  const text = WORDS[node.dataset.token](new Date(node.dateTime));
  if (node.textContent !== text) node.textContent = text;
}

function roughly(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min`;
  if (whole < 86_400) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
  return `${Math.floor(whole / 86_400)} d`;
}
