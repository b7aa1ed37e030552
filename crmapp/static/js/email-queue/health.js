// The sentence that says how the queue is, and its pause and resume.
import { ApiError, api } from "../api.js";
import { live } from "../live.js";
import { showSentence } from "../sentence.js";
import { toast } from "../toast.js";

const box = document.getElementById("queue-health");
const pause = document.getElementById("queue-pause");
const resume = document.getElementById("queue-resume");

export function startHealth() {
  live.addEventListener("health", ({ detail }) => show(detail));
  pause.addEventListener("click", () => ask("pause"));
  resume.addEventListener("click", () => ask("resume"));
}

function show({ state, text }) {
  const focused = box.contains(document.activeElement);
  box.dataset.state = state;
  const sentence = box.querySelector('[data-field="text"]');
  if (sentence.dataset.text !== text) showSentence(sentence, text);
  pause.hidden = state === "paused";
  resume.hidden = state !== "paused";
  // One button took the other's place.
  if (focused) (pause.hidden ? resume : pause).focus();
}

async function ask(what) {
  pause.disabled = resume.disabled = true;
  try {
    const { msg, ...health } = await api(`/crm/email-queue/${what}`, { method: "POST" });
    live.takeHealth(health);
    if (msg) toast(msg);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    toast(error.message, "danger");
  } finally {
    pause.disabled = resume.disabled = false;
    (pause.hidden ? resume : pause).focus();
  }
}
