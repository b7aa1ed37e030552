"""Imports, and their undoing, as jobs among others."""

from __future__ import annotations

from crmapp.accounts.users import User
from crmapp.database import Db, Document
from crmapp.imports import imports, undo
from crmapp.imports.run import ImportRun
from crmapp.imports.undo import UndoRun
from crmapp.jobs.jobs import JobStatus, Phase
from crmapp.jobs.kinds import Kind, Touch
from crmapp.jobs.leases import Lease
from crmapp.leads import reasons
from crmapp.requests import BadInput

SUCCEEDED = ("imported", "updated", "unchanged")
UNDONE = ("removed", "restored")


def kinds() -> list[Kind]:
    return [
        Kind(
            type=imports.TYPE,
            label="Lead import",
            item="row",
            items="rows",
            succeeded=SUCCEEDED,
            run=_run_import,
            message=message,
            retry=_no_retry,
            reasons=reasons.LABELS,
        ),
        Kind(
            type=undo.TYPE,
            label="Undo of an import",
            item="lead",
            items="leads",
            succeeded=UNDONE,
            run=_run_undo,
            message=message_of_undo,
            retry=_no_retry,
            reasons=undo.LABELS,
        ),
    ]


def _run_import(db: Db, lease: Lease, touch: Touch) -> ImportRun:
    return ImportRun(db, lease)


def _run_undo(db: Db, lease: Lease, touch: Touch) -> UndoRun:
    return UndoRun(db, lease)


def _no_retry(db: Db, user: User, job: Document) -> Document:
    raise BadInput(
        "A bad row stays one: download the bad rows, correct them, and import that file.", 409
    )


def message(numbers: Document) -> str:
    """How an import stands, in a sentence or two."""
    if stopped := _stopped(numbers):
        return stopped
    if numbers["status"] == JobStatus.CANCELLED:
        return f"Cancelled: {_counted(numbers['remaining'], 'row')} not reached. {_done(numbers, SUCCEEDED)}"
    if numbers["phase"] == Phase.SELECTING:
        word = "Paused" if numbers["status"] == JobStatus.PAUSED else "Looking through the file…"
        return f"{word} {_counted(numbers['total'], 'row')} so far."
    return _going(numbers, "Importing…") or _done(numbers, SUCCEEDED)


def message_of_undo(numbers: Document) -> str:
    """How the undoing of an import stands."""
    if stopped := _stopped(numbers):
        return stopped
    if numbers["status"] == JobStatus.CANCELLED:
        left = _counted(numbers["remaining"], "lead")
        return f"Cancelled: {left} left as imported. {_done(numbers, UNDONE)}"
    return _going(numbers, "Taking leads back…") or _done(numbers, UNDONE)


def _stopped(numbers: Document) -> str | None:
    if numbers["status"] == JobStatus.FAILED:
        return f"Stopped at {_reached(numbers)}: {numbers['problem']}"
    return "Cancelling…" if numbers["phase"] == Phase.RETURNING else None


def _going(numbers: Document, doing: str) -> str | None:
    if numbers["usersDone"]:
        return None
    word = "Paused at" if numbers["status"] == JobStatus.PAUSED else doing
    return f"{word} {_reached(numbers)} ({numbers['percentage']} %)"


def _reached(numbers: Document) -> str:
    return f"{numbers['processed']:,} / {numbers['total']:,}"


def _done(numbers: Document, succeeded: tuple[str, ...]) -> str:
    words = {"failed": "bad", "skipped": "kept as they are"}
    names = (*succeeded, "skipped", "failed")
    done = [f"{numbers[name]:,} {words.get(name, name)}" for name in names if numbers.get(name)]
    return f"{', '.join(done)}." if done else "Nothing was done."


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
