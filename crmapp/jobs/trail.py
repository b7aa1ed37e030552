"""What has happened to a job, in words."""

from __future__ import annotations

from crmapp.database import Document
from crmapp.jobs.jobs import JobEvent

TEXTS = {
    JobEvent.STARTED: "{by} started it",
    JobEvent.PAUSED: "{by} paused it",
    JobEvent.RESUMED: "{by} resumed it",
    JobEvent.CANCELLED: "{by} cancelled it",
    JobEvent.UNDONE: "{by} undid it",
    JobEvent.RETRIED: "{by} had its failed items tried again",
    JobEvent.TAKEN_OVER: "Its worker had died; worker {worker} went on with it",
    JobEvent.COMPLETED: "It completed",
    JobEvent.FAILED: "It failed",
}
FIRST_TAKEN_UP = "Worker {worker} took it up"
TAKEN_UP_AGAIN = "Worker {worker} went on with it"


def told(trail: list[Document]) -> list[Document]:
    """The entries of a job's trail, newest last, as they are shown: {what, text, at, by, note}."""
    shown, taken_up = [], False
    for entry in trail:
        what = JobEvent(entry["what"])
        if what == JobEvent.TAKEN_UP:
            text = TAKEN_UP_AGAIN if taken_up else FIRST_TAKEN_UP
            taken_up = True
        else:
            text = TEXTS[what]
        shown.append(_told(entry, text))
    return shown


def _told(entry: Document, text: str) -> Document:
    by = entry["by"]["name"] if entry.get("by") else None
    return {
        "what": entry["what"],
        "text": text.format(by=by or "Somebody", worker=entry.get("worker")),
        "at": entry["at"],
        "by": by,
        "note": entry.get("note"),
    }
