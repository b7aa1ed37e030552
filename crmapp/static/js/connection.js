// The honest label: whether this page hears events, polls, or does not reach the server.
import { live } from "./live.js";

const LABELS = {
  live: ["Live", "Changes are shown as they happen."],
  polling: ["Polling", "Live events do not come through. The page asks every few seconds instead."],
  offline: ["Offline", "The server cannot be reached. What runs there goes on; the page tries again."],
};

export function startConnection() {
  const label = document.getElementById("connection");
  live.addEventListener("connection", ({ detail: state }) => {
    label.dataset.state = state;
    [label.textContent, label.title] = LABELS[state];
  });
}
