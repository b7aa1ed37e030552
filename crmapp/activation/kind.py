"""Activations as jobs among others."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import current_app

from crmapp.accounts.users import User
from crmapp.activation.start import TYPE, start
from crmapp.activation.step import ActivationRun
from crmapp.activation.verdicts import LABELS
from crmapp.database import Db, Document
from crmapp.jobs.jobs import JobStatus, Phase
from crmapp.jobs.kinds import Kind, Touch
from crmapp.jobs.leases import Lease
from crmapp.live.blueprint import live
from crmapp.live.topics import QUEUE
from crmapp.mailqueue import queue


def _run(db: Db, lease: Lease, touch: Touch) -> ActivationRun:
    domain = urlsplit(current_app.config["PUBLIC_URL"]).hostname or "localhost"

    def queued() -> None:
        live.ring(queue.BELL)
        touch(QUEUE)

    return ActivationRun(db, lease, domain, queued)


def _retry(db: Db, user: User, job: Document) -> Document:
    settings = current_app.config["SETTINGS"]
    return start(
        db,
        user,
        {"failedOf": job["_id"]},
        "",
        settings.job_lease_seconds,
        settings.undo_seconds,
        retryOf=job["_id"],
        exclusive=f"retry/{job['_id']}",
    )


def message(numbers: Document) -> str:
    """How an activation stands, in a sentence or two."""
    if numbers["status"] == JobStatus.FAILED:
        return f"Stopped at {numbers['processed']:,} / {numbers['total']:,}: {numbers['problem']}"
    if numbers["phase"] == Phase.UNDOING:
        return f"Undoing… {_users(numbers)} left to take back."
    if numbers["phase"] == Phase.RETURNING:
        return "Cancelling… giving back the leads that were not reached."
    if numbers["undo"]:
        return _undone(numbers)
    if not numbers["usersDone"]:
        word = "Paused at" if numbers["status"] == JobStatus.PAUSED else "Creating users…"
        return f"{word} {numbers['processed']:,} / {numbers['total']:,} ({numbers['percentage']} %)"
    if numbers["status"] == JobStatus.CANCELLED:
        leads = _counted(numbers["remaining"], "lead")
        return f"Cancelled: {leads} not reached and left as before. {_mailed(numbers)}"
    return _mailed(numbers)


def _undone(numbers: Document) -> str:
    undo = numbers["undo"]
    gone = f"Undone: {_counted(undo['removed'], 'user')} removed, the leads are what they were."
    left = undo.get("left")
    return (
        f"{gone} {_counted(left, 'user')} kept, because somebody had acted on it." if left else gone
    )


def _mailed(numbers: Document) -> str:
    created = f"{_users(numbers)} created"
    pending, failed = numbers["emailsPending"], numbers["emailsFailed"]
    if pending and "undo" in numbers["actions"]:
        return f"{created}. Invitations are held back, so that it can be undone."
    if pending:
        verb = "is" if pending == 1 else "are"
        return f"{created}. {_counted(pending, 'e-mail')} {verb} being sent in the background."
    sent = f"{_counted(numbers['emailsSent'], 'e-mail')} sent"
    return f"{created}, {sent}{f', {failed:,} failed' if failed else ''}."


def _users(numbers: Document) -> str:
    return _counted(numbers["activated"], "user")


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


KIND = Kind(
    type=TYPE,
    label="Activation",
    item="lead",
    items="leads",
    succeeded=("activated",),
    run=_run,
    message=message,
    retry=_retry,
    reasons=LABELS,
)
