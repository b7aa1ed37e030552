"""Recounts everything from the ledger, says what disagrees, and mends it.

While the queue works, numbers and mails are on their way from one place to another: what was found is looked at again
a moment later, and only what stands as it stood is told.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from bson import ObjectId

from crmapp.clock import now
from crmapp.database import Db, Document
from crmapp.jobs import progress
from crmapp.jobs.jobs import ItemState, JobStatus, Phase
from crmapp.mailqueue import counts, queue, status
from crmapp.mailqueue.announce import announce
from crmapp.mailqueue.queue import MailEvent, MailStatus

RECHECK_SECONDS = 3.0
CHUNK = 1000
SETTLING = (Phase.MAILING, Phase.OVER)
MENDED_LATER = "is under way, so it is left alone; look again when it has ended"


@dataclass(frozen=True)
class Finding:
    """Something that disagrees. `stands` is equal where the same is found again, and nothing has moved meanwhile.
    `mend` puts it right and says what it did; None where it could not."""

    text: str
    stands: object
    session_id: str | None
    mend: Callable[[], str | None]


# Queues the mail of users that have none; returns how many were queued.
QueueMissing = Callable[[Db, list[ObjectId]], int]


def examine(db: Db, queue_missing: QueueMissing) -> list[Finding]:
    """What disagrees, and still does after RECHECK_SECONDS."""
    first = list(_look(db, queue_missing))
    if not first:
        return []
    time.sleep(RECHECK_SECONDS)
    stood = {finding.stands for finding in first}
    return [finding for finding in _look(db, queue_missing) if finding.stands in stood]


def mend(db: Db, findings: Iterable[Finding]) -> Iterator[tuple[Finding, str | None]]:
    """Put right what was found, one after the other; yields what was done, None where it could not be."""
    sessions = set()
    for finding in findings:
        sessions.add(finding.session_id)
        yield finding, finding.mend()
    announce(db, sessions)


def _look(db: Db, queue_missing: QueueMissing) -> Iterator[Finding]:
    # In this order, because what comes first is counted by what follows.
    yield from _doubles(db)
    yield from _without_mail(db, queue_missing)
    yield from _jobs(db)
    yield from _sessions(db)
    yield from _status(db)


def _doubles(db: Db) -> Iterator[Finding]:
    """Mails that are in two places. What was sent is sent, and what is queued is tried before it is given up."""
    for mails in _chunks(db.failed_emails.find({}, _PLACE)):
        sent, queued = queue.sent_among(db, mails), _settled_wrongly(db, mails)
        for mail in mails:
            if mail["_id"] in sent:
                yield _double(db, mail, "failed_emails", "failed, but it was sent")
            elif mail["_id"] in queued:
                yield _double(db, mail, "failed_emails", "failed, but it is queued")
    for mails in _chunks(db.pending_emails.find(_left_alone(), _PLACE)):
        for mail_id in queue.sent_among(db, mails):
            mail = next(mail for mail in mails if mail["_id"] == mail_id)
            yield _double(db, mail, "pending_emails", "queued, but it was sent")


# Moves on whenever something happens to a mail.
_VERSION = ("_id", "lastAttemptDate", "token")
_PLACE = dict.fromkeys(("email", "sessionId", *_VERSION), 1)


def _left_alone() -> Document:
    """Mails in the queue that no sender holds: one that does settles them."""
    free = [{"status": MailStatus.PENDING}, {"visibleAt": {"$lte": now()}}]
    return {"$or": free}


def _settled_wrongly(db: Db, mails: list[Document]) -> set[ObjectId]:
    """Those of failed `mails` that wait in the queue. One with `failure` is about to leave it."""
    query = {"_id": {"$in": [mail["_id"] for mail in mails]}, "failure": {"$exists": False}}
    return {mail["_id"] for mail in db.pending_emails.find({**query, **_left_alone()}, {"_id": 1})}


def _double(db: Db, mail: Document, place: str, what: str) -> Finding:
    as_read: Document = {name: mail[name] for name in mail if name in _VERSION}

    def remove() -> str | None:
        removed = db[place].delete_one(as_read).deleted_count
        return "removed the double" if removed else None

    text = f"Mail {mail['_id']} to {mail['email']} is among the {what}."
    return Finding(text, (place, *as_read.values()), mail["sessionId"], remove)


def _without_mail(db: Db, queue_missing: QueueMissing) -> Iterator[Finding]:
    waiting = {mail["userId"] for mail in db.pending_emails.find(_OF_SESSION, {"userId": 1})}
    activated = db.users.find({"activationId": {"$exists": True}}, {"email": 1, "activationId": 1})
    for users in _chunks(user for user in activated if user["_id"] not in waiting):
        settled = _users_with_settled_mail(db, [user["_id"] for user in users])
        for user in users:
            if user["_id"] not in settled:
                yield _missing(db, user, queue_missing)


# A user may have further mail, from outside of the activation.
_OF_SESSION: Document = {"sessionId": {"$ne": None}}


def _users_with_settled_mail(db: Db, ids: list[ObjectId]) -> set[ObjectId]:
    theirs = {"userId": {"$in": ids}, **_OF_SESSION}
    sent_or_void = {"type": {"$in": [MailEvent.SENT, MailEvent.VOID]}}
    return {
        *db.failed_emails.distinct("userId", theirs),
        *db.events.distinct("userId", {**theirs, **sent_or_void}),
    }


def _missing(db: Db, user: Document, queue_missing: QueueMissing) -> Finding:
    def write() -> str | None:
        return "queued an invitation" if queue_missing(db, [user["_id"]]) else None

    session_id = user["activationId"]
    text = (
        f"User {user['email']} of session {session_id} was never sent a mail, and none is queued."
    )
    return Finding(text, ("no mail", user["_id"]), session_id, write)


def _jobs(db: Db) -> Iterator[Finding]:
    """Jobs whose counts are not those of their users and errors. Read at one point in time: a chunk is written as a
    whole, and so it is read."""
    with db.client.start_session(snapshot=True) as session:
        users = db.users.aggregate(
            [
                {"$match": {"activationId": {"$exists": True}}},
                {"$group": {"_id": "$activationId", "count": {"$sum": 1}}},
            ],
            session=session,
        )
        activated = {each["_id"]: each["count"] for each in users}
        errors = db.job_errors.aggregate(
            [{"$group": {"_id": {"job": "$jobId", "state": "$state"}, "count": {"$sum": 1}}}],
            session=session,
        )
        left_out = {(each["_id"]["job"], each["_id"]["state"]): each["count"] for each in errors}
        begun = {"type": progress.ACTIVATION, "phase": {"$nin": [Phase.SELECTING, Phase.UNDOING]}}
        for job in db.jobs.find(begun, {"counts": 1, "phase": 1, "status": 1}, session=session):
            counted = {
                "activated": activated.get(job["_id"], 0),
                "skipped": left_out.get((job["_id"], ItemState.SKIPPED), 0),
                "failed": left_out.get((job["_id"], ItemState.FAILED), 0),
            }
            if not counted.items() <= job["counts"].items():
                yield _miscounted(db, job, counted)


def _miscounted(db: Db, job: Document, counted: dict[str, int]) -> Finding:
    noted = {name: job["counts"][name] for name in counted}

    def correct() -> str | None:
        changes: dict[str, Any] = {f"counts.{name}": count for name, count in counted.items()}
        if job["status"] != JobStatus.CANCELLED:
            changes["counts.total"] = sum(counted.values())
        as_read = {"_id": job["_id"], "phase": {"$in": SETTLING}, "counts": job["counts"]}
        changed = db.jobs.update_one(as_read, {"$set": changes}).modified_count
        return "wrote the counted numbers" if changed else None

    later = "" if job["phase"] in SETTLING else f" It {MENDED_LATER}."
    text = f"Job {job['_id']} notes {_told(noted)}; counted are {_told(counted)}.{later}"
    differences = tuple(noted[name] - count for name, count in counted.items())
    return Finding(text, (job["_id"], differences), job["_id"], correct)


def _sessions(db: Db) -> Iterator[Finding]:
    """Sessions whose live numbers are not those of their job and mails."""
    for stored in db.activation_progress.find({"type": progress.ACTIVATION}):
        session_id = stored["sessionId"]
        mails = queue.count_of_session(db, session_id)
        job = db.jobs.find_one({"_id": session_id}, {"counts": 1})
        if job is None:
            continue
        counted = {
            **{name: job["counts"][name] for name in ("total", "activated", "skipped", "failed")},
            "emailsSent": mails.sent,
            "emailsFailed": mails.failed,
            "emailsPending": job["counts"]["activated"] - mails.sent - mails.failed,
        }
        if not counted.items() <= stored.items():
            yield _outdated(db, stored, counted)


def _outdated(db: Db, stored: Document, counted: dict[str, int]) -> Finding:
    session_id = stored["sessionId"]
    shown = {name: stored[name] for name in counted}
    text = f"Session {session_id} shows {_told(shown)}; counted are {_told(counted)}."

    def recount() -> str:
        progress.refresh(db, session_id)
        return "wrote the counted numbers"

    return Finding(text, (session_id, stored["rev"]), session_id, recount)


def _status(db: Db) -> Iterator[Finding]:
    stored = db.projections.find_one(status.KEY)
    counted = counts.of_queue(db)
    if stored and not counted.items() <= stored.items():
        shown = {name: stored[name] for name in counted}
        text = f"The queue shows {_told(shown)}; counted are {_told(counted)}."
        yield Finding(text, ("queue", stored["rev"]), None, lambda: _refresh_status(db))


def _refresh_status(db: Db) -> str:
    status.refresh(db)
    return "wrote the counted numbers"


def _told(numbers: dict[str, int]) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in numbers.items())


def _chunks(documents: Iterable[Document]) -> Iterator[list[Document]]:
    rest = iter(documents)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk
