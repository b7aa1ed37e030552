// This page as the server has it now.
import { ApiError, request } from "./api.js";
import { showTimes } from "./times.js";

/** The newest version of this document; null where it cannot be had, which the connection's label explains. */
export async function newestPage() {
  try {
    const response = await request(location.href, { headers: { Accept: "text/html" } });
    if (response.redirected) return null;
    return new DOMParser().parseFromString(await response.text(), "text/html");
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return null;
  }
}

/** Put the newest version of each element that has a data-newest attribute and an id in place. */
export async function showNewest() {
  const page = await newestPage();
  if (!page) return;
  for (const part of document.querySelectorAll("[data-newest]")) {
    const now = page.getElementById(part.id);
    if (now && now.innerHTML !== part.dataset.shown) replace(part, now);
  }
  showTimes();
}

function replace(part, now) {
  const html = now.innerHTML;
  const open = [...part.querySelectorAll("details")].map((details) => details.open);
  const focused = part.contains(document.activeElement) && document.activeElement.getAttribute("href");
  part.replaceChildren(...now.childNodes);
  part.dataset.shown = html;
  part.querySelectorAll("details").forEach((details, number) => (details.open = open[number] ?? details.open));
  // Whoever was at a link still is.
  if (focused) part.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
}
