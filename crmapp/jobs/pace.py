"""How fast a job goes, or went, while a worker was at it."""

from __future__ import annotations

from crmapp.clock import now
from crmapp.database import Document
from crmapp.jobs import jobs
from crmapp.jobs.jobs import JobEvent

BEGINNINGS = (JobEvent.TAKEN_UP, JobEvent.TAKEN_OVER)
HALTS = (JobEvent.PAUSED, JobEvent.FAILED)
# What follows takes items back, and is no part of the work on them.
ENDS = (JobEvent.CANCELLED, JobEvent.UNDONE)


def rate(job: Document) -> float | None:
    """Items a second; None where nothing was done yet."""
    done, seconds = jobs.done(job["counts"]), working_seconds(job)
    return done / seconds if done and seconds else None


def working_seconds(job: Document) -> float:
    """How long workers were at its items: pauses do not count, nor does waiting for mail to leave."""
    seconds, since = 0.0, None
    for entry in job.get("trail", []):
        what, at = entry["what"], entry["at"]
        if what in BEGINNINGS:
            since = since or at
        elif since and what in (*HALTS, *ENDS):
            seconds += (at - since).total_seconds()
            since = None
        if what in ENDS:
            return seconds
    if since is None:
        return seconds
    return seconds + ((job["workedAt"] or now()) - since).total_seconds()
