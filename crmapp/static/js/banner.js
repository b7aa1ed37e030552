// The lines on top of every page: while mail does not leave as it should, and one for each alert.
import { live } from "./live.js";
import { showSentence } from "./sentence.js";

export function startBanner() {
  const banner = document.getElementById("system-banner");
  if (!banner) return;
  const text = banner.querySelector('[data-field="text"]');

  live.addEventListener("health", ({ detail: health }) => {
    banner.dataset.state = health.state;
    banner.hidden = !health.trouble;
    const shown = health.trouble ? health.text : "";
    if (text.dataset.text !== shown) showSentence(text, shown);
  });
  live.addEventListener("alerts", ({ detail: alerts }) => showAlerts(alerts));
}

function showAlerts(alerts) {
  const list = document.getElementById("alerts");
  const shown = [...list.querySelectorAll("[data-text]")].map((text) => text.dataset.text);
  // What stands as it stood is left alone: somebody may have the focus in it.
  if (shown.join() !== alerts.map(sentence).join()) list.replaceChildren(...alerts.map(newLine));
}

function sentence(alert) {
  return `${alert.text} ${alert.advice}`;
}

function newLine(alert) {
  const line = document.createElement("p");
  line.className = "system-banner";
  line.dataset.condition = alert.condition;
  const icon = document.createElement("i");
  icon.className = "bi bi-exclamation-triangle-fill";
  icon.setAttribute("aria-hidden", "true");
  const text = document.createElement("span");
  showSentence(text, sentence(alert));
  line.append(icon, text);
  if (alert.link) {
    const link = document.createElement("a");
    link.href = alert.link;
    link.textContent = alert.linkText;
    line.append(link);
  }
  return line;
}
