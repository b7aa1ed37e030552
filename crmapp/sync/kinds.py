"""Syncs as jobs among others: a kind for each source."""

from __future__ import annotations

from flask import current_app

from crmapp.accounts.users import User
from crmapp.database import Db, Document
from crmapp.jobs.jobs import JobStatus, Phase
from crmapp.jobs.kinds import Kind, Touch
from crmapp.jobs.leases import Lease
from crmapp.sync import sources, start
from crmapp.sync.ml import MlService
from crmapp.sync.run import SyncRun
from crmapp.sync.source import LABELS, Source

SUCCEEDED = ("synced", "unchanged", "removed")


def kinds() -> list[Kind]:
    return [_kind_of(source) for source in sources.every().values()]


def _kind_of(source: Source) -> Kind:
    def run(db: Db, lease: Lease, touch: Touch) -> SyncRun:
        url = current_app.config["SETTINGS"].ml_service_url
        return SyncRun(db, lease, source, MlService(url) if url else None)

    def retry(db: Db, user: User, job: Document) -> Document:
        return start.retry(db, user, source, job)

    return Kind(
        type=source.type,
        label=source.label,
        item=source.item,
        items=source.items,
        succeeded=SUCCEEDED,
        run=run,
        message=lambda numbers: message(numbers, source),
        retry=retry,
        reasons=LABELS,
    )


def message(numbers: Document, source: Source) -> str:
    """How a sync stands, in a sentence or two."""
    reached = f"{numbers['processed']:,} / {numbers['total']:,}"
    if numbers["status"] == JobStatus.FAILED:
        return f"Stopped at {reached}: {numbers['problem']}"
    if numbers["phase"] == Phase.RETURNING:
        return "Cancelling…"
    if numbers["status"] == JobStatus.CANCELLED:
        left = _counted(numbers["remaining"], source)
        return f"Cancelled: {left} not reached; the next sync finds them. {_done(numbers)}"
    if numbers["phase"] == Phase.SELECTING:
        word = "Paused" if numbers["status"] == JobStatus.PAUSED else "Looking for changes…"
        return f"{word} {numbers['total']:,} found so far."
    if not numbers["usersDone"]:
        word = "Paused at" if numbers["status"] == JobStatus.PAUSED else "Syncing…"
        return f"{word} {reached} ({numbers['percentage']} %)"
    if not numbers["total"]:
        return f"Nothing to do: all {source.items} are up to date."
    return _done(numbers)


def _done(numbers: Document) -> str:
    done = [f"{numbers[name]:,} {name}" for name in (*SUCCEEDED, "failed") if numbers[name]]
    return f"{', '.join(done)}.".capitalize() if done else "Nothing was done."


def _counted(count: int, source: Source) -> str:
    return f"{count:,} {source.item if count == 1 else source.items}"
