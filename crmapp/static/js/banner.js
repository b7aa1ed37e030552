// The line on top of every page while mail does not leave as it should.
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
}
