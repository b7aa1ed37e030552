// Brings the list up to date: after a change, and once a minute, so that it stays true who is online.
import { newestPage } from "../newest.js";
import { showTimes } from "../times.js";
import { selection } from "./selection.js";

const EVERY = 60_000;

export function startReload() {
  setInterval(() => !document.hidden && reload(), EVERY);
}

export async function reload() {
  const list = document.getElementById("users");
  const page = await newestPage();
  if (!page) return;
  const focused = list.contains(document.activeElement) && document.activeElement.getAttribute("href");
  selection.replaceList(page);
  showTimes();
  // Whoever was at a link still is.
  if (focused) list.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
}
