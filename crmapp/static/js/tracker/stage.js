// Where a job is, as people see it.
import { serverNow } from "../clock.js";

/** "work" while it goes through its items, then "mail" while its mail leaves, then "done"; or, where somebody or
 * something came between: "paused", "failed", "cancelling", "cancelled", "undoing", "undone". */
export function stage(doc) {
  if (doc.status === "paused" || doc.status === "failed") return doc.status;
  if (doc.phase === "returning") return "cancelling";
  if (doc.phase === "undoing") return "undoing";
  if (doc.undo) return "undone";
  if (doc.status === "cancelled") return "cancelled";
  if (doc.completed) return "done";
  return doc.usersDone ? "mail" : "work";
}

/** Whole seconds for which what it did can still be undone; 0 where it cannot. */
export function undoLeft(doc) {
  if (!doc.undoUntil || !doc.actions.includes("undo")) return 0;
  return Math.max(0, Math.floor((Date.parse(doc.undoUntil) - serverNow()) / 1000));
}

/** What may be done with it now. */
export function actions(doc) {
  return doc.actions.filter((action) => action !== "undo" || undoLeft(doc) > 0);
}

export function isActivation(doc) {
  return doc.type === "activation";
}
