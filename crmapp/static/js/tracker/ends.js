// Tells whoever started a job what has come of it, on whatever page they are: once per browser, in a tab that is seen.
import * as hints from "../hints.js";
import { canLead } from "../live/leader.js";
import { sessions } from "../sessions.js";
import { toast } from "../toast.js";
import { isActivation, stage } from "./stage.js";
import { outcome, usersDone } from "./texts.js";

const ME = document.body.dataset.userId;
const LOCK = `crmapp-told-${ME}`;
// A tab that is not in use leaves it to the one that is.
const MODESTY = 500;
// Mail that leaves within this time of its users' creation needs no message of its own.
const SOON = 10_000;
// localStorage reaches other tabs' processes only after a while.
const SPREADS = 2000;
const ENDED = ["failed", "cancelled", "undone"];

const waiting = new Map(); // what happened while nobody looked at this tab: the newest state by session id

export function startEnds() {
  sessions.addEventListener("change", ({ detail: doc }) => doc.userId === ME && take(doc));
  document.addEventListener("visibilitychange", () => {
    const missed = [...waiting.values()];
    waiting.clear();
    if (!document.hidden) missed.forEach(take);
  });
}

function take(doc) {
  const what = news(doc);
  if (!what && hints.told(doc.sessionId)?.what === "failed") hints.noteTold(doc.sessionId, "");
  if (!isNew(doc, what)) return;
  if (document.hidden) waiting.set(doc.sessionId, doc);
  else if (document.hasFocus()) tell(doc, what);
  else setTimeout(() => tell(doc, what), MODESTY);
}

/** What there is to tell of it; empty while it goes on. */
function news(doc) {
  const current = stage(doc);
  if (current === "mail" && isActivation(doc)) return "users";
  return ENDED.includes(current) || doc.completed ? current : "";
}

function isNew(doc, what) {
  const last = hints.told(doc.sessionId);
  if (!what || last?.what === what) return false;
  const soon = last?.what === "users" && Date.now() - last.at < SOON;
  return !(soon && what === "done" && !doc.emailsFailed);
}

async function tell(doc, what) {
  const claim = () => {
    if (!isNew(doc, what)) return null;
    hints.noteTold(doc.sessionId, what);
    say(doc, what);
    return new Promise((resolve) => setTimeout(resolve, SPREADS));
  };
  // One tab at a time, so that no two of them tell the same. The others read the hint once it has reached them.
  if (canLead) await navigator.locks.request(LOCK, claim);
  else claim();
}

function say(doc, what) {
  const link = { href: `/crm/jobs/${doc.sessionId}`, text: "Details" };
  const told = what === "users" ? usersDone(doc) : outcome(doc);
  toast(told, kind(doc, what), { about: doc.sessionId, link });
}

function kind(doc, what) {
  if (what === "failed") return "danger";
  if (what === "users") return doc.activated ? "success" : "warning";
  return what === "cancelled" || doc.failed || doc.emailsFailed ? "warning" : "success";
}
