"""What every page is told after a person has changed the queue."""

from __future__ import annotations

from collections.abc import Iterable

from crmapp.database import Db
from crmapp.jobs import progress
from crmapp.live.blueprint import live
from crmapp.mailqueue import health, queue, status

# Counting a session takes time; what is more than these is brought up to date as their mail leaves.
MOST_SESSIONS = 100


def announce(db: Db, sessions: Iterable[str | None] = ()) -> None:
    """Wake the senders, and bring up to date what is told of the queue and of `sessions` (None is skipped)."""
    live.ring(queue.BELL)
    status.refresh(db)
    health.refresh(db)
    for session_id in [session for session in sessions if session][:MOST_SESSIONS]:
        progress.refresh(db, session_id)
