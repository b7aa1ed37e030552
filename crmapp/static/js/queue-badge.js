// The number of e-mails that wait or are being sent, and of those that failed. Nothing until it is known.
import { number } from "./format.js";
import { live } from "./live.js";

export function startQueueBadge() {
  const badge = document.getElementById("queue-badge");
  if (!badge) return;
  const total = badge.querySelector('[data-field="total"]');
  const failed = badge.querySelector('[data-field="failed"]');
  const link = badge.querySelector(".queue-failed");

  live.addEventListener("queue", ({ detail: status }) => {
    badge.dataset.total = status.total;
    badge.dataset.failed = status.failed;
    total.textContent = `(${number(status.total)})`;
    failed.textContent = number(status.failed);
    link.hidden = status.failed === 0;
  });
}
