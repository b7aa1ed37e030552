"""Failed mail in the hands of an administrator: trying it again, and giving it up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from enum import StrEnum

from bson import ObjectId
from pymongo import DeleteOne
from pymongo.errors import BulkWriteError

from crmapp.clock import now
from crmapp.database import DUPLICATE_KEY, Db, Document
from crmapp.mailqueue import queue
from crmapp.mailqueue.announce import announce
from crmapp.mailqueue.counts import NOT_DROPPED
from crmapp.mailqueue.queue import MailEvent, MailStatus

CHUNK = 1000
KEPT = (
    *("_id", "userId", "email", "template", "sessionId", "messageId", "createdAt"),
    "jobId",  # of the mail that tells of a job's end
)


class Skip(StrEnum):
    """Why nothing was done with a mail that was asked for."""

    ALREADY_SENT = "already_sent"
    ALREADY_QUEUED = "already_queued"
    DROPPED = "dropped"
    NOT_FOUND = "not_found"


LABELS = {
    Skip.ALREADY_SENT: "already sent",
    Skip.ALREADY_QUEUED: "already queued",
    Skip.DROPPED: "already dropped",
    Skip.NOT_FOUND: "not found",
}


class Outcome:
    """How many mails something was done with, and why not with others."""

    def __init__(self) -> None:
        self.done = 0
        self.skipped: Counter[Skip] = Counter()
        self.sessions: set[str | None] = set()

    def told_as(self, verb: str) -> str:
        """A sentence without its end, such as "Requeued 40, skipped 2: already sent"."""
        told = f"{verb} {self.done:,}"
        reasons = [(LABELS[skip], count) for skip, count in self.skipped.items() if count]
        if not reasons:
            return told
        told += f", skipped {sum(count for _, count in reasons):,}: "
        if len(reasons) == 1:
            return told + reasons[0][0]
        return told + ", ".join(f"{count:,} {label}" for label, count in reasons)


def retry(db: Db, wanted: list[ObjectId] | Document, by: Document) -> Outcome:
    """Queue failed mails again, as if they had never been tried. `wanted` are their ids or a query of `failed_emails`,
    `by` is who wants it: {id, name}. Whoever asks for the same at the same time gets none of them twice."""
    outcome = Outcome()
    for mails in _chunks(db, wanted, outcome):
        outcome.sessions |= {mail["sessionId"] for mail in mails}
        sent = queue.sent_among(db, mails)
        db.failed_emails.delete_many({"_id": {"$in": list(sent)}})
        outcome.skipped[Skip.ALREADY_SENT] += len(sent)
        _requeue(db, [mail for mail in mails if mail["_id"] not in sent], by, outcome)
    announce(db, outcome.sessions)
    return outcome


def _requeue(db: Db, mails: list[Document], by: Document, outcome: Outcome) -> None:
    """Without a transaction: in the queue first, then out of the failed ones, so that a kill in between loses none."""
    queued_already = _insert(db, [requeued(mail) for mail in mails])
    done = [mail for mail in mails if mail["_id"] not in queued_already]
    if done:
        db.events.insert_many(
            [queue.event(mail, MailEvent.REQUEUED, "tried again", by=by) for mail in done]
        )
    # Those that are on their way from the queue to the failed ones are left where they are.
    moving = {"_id": {"$in": list(queued_already)}, "failure": {"$exists": True}}
    kept = {mail["_id"] for mail in db.pending_emails.find(moving, {"_id": 1})}
    _delete(db, [mail for mail in mails if mail["_id"] not in kept])
    outcome.done += len(done)
    outcome.skipped[Skip.ALREADY_QUEUED] += len(queued_already)


def requeued(mail: Document) -> Document:
    """A failed mail as it is queued again: under its id and Message-ID, its attempts forgotten."""
    time = now()
    return {
        **{name: mail[name] for name in KEPT if name in mail},
        "status": MailStatus.PENDING,
        "attempts": 0,
        "throttles": 0,
        "visibleAt": time,
        "token": None,
        "requeuedAt": time,
    }


def _insert(db: Db, mails: list[Document]) -> set[ObjectId]:
    """Queue `mails`; returns the ids of those that were queued already."""
    if not mails:
        return set()
    try:
        db.pending_emails.insert_many(mails, ordered=False)
    except BulkWriteError as error:
        faults = error.details["writeErrors"]
        if any(fault["code"] != DUPLICATE_KEY for fault in faults):
            raise
        return {mails[fault["index"]]["_id"] for fault in faults}
    return set()


def _delete(db: Db, mails: list[Document]) -> None:
    """As they were read: one that was sent and refused in the meantime has failed anew."""
    deletions = [
        DeleteOne({"_id": mail["_id"], "lastAttemptDate": mail.get("lastAttemptDate")})
        for mail in mails
    ]
    if deletions:
        db.failed_emails.bulk_write(deletions, ordered=False)


def drop(db: Db, wanted: list[ObjectId] | Document, by: Document) -> Outcome:
    """Give failed mails up; they are kept, marked. The arguments are those of `retry`."""
    outcome = Outcome()
    for mails in _chunks(db, wanted, outcome):
        done = _mark_dropped(db, mails, by)
        if done:
            db.events.insert_many(
                [queue.event(mail, MailEvent.DROPPED, "given up", by=by) for mail in done]
            )
        outcome.done += len(done)
        outcome.skipped[Skip.DROPPED] += len(mails) - len(done)
    announce(db)
    return outcome


def _mark_dropped(db: Db, mails: list[Document], by: Document) -> list[Document]:
    """Those of `mails` that nobody else has dropped or retried since they were read."""
    ids = {"_id": {"$in": [mail["_id"] for mail in mails]}}
    mark = {"dropped": True, "droppedBy": by, "droppedAt": now()}
    marked = db.failed_emails.update_many({**ids, **NOT_DROPPED}, {"$set": mark})
    if marked.modified_count == len(mails):
        return mails
    mine = {mail["_id"] for mail in db.failed_emails.find({**ids, **mark}, {"_id": 1})}
    return [mail for mail in mails if mail["_id"] in mine]


def _chunks(
    db: Db, wanted: list[ObjectId] | Document, outcome: Outcome
) -> Iterator[list[Document]]:
    """The mails that are meant and not dropped. The other ids are counted in `outcome`."""
    if isinstance(wanted, dict):
        yield from _chunks_of_query(db, wanted)
        return
    for start in range(0, len(wanted), CHUNK):
        ids = wanted[start : start + CHUNK]
        mails = list(db.failed_emails.find({"_id": {"$in": ids}}))
        _note_missing(db, set(ids) - {mail["_id"] for mail in mails}, outcome)
        open_ones = [mail for mail in mails if not mail.get("dropped")]
        outcome.skipped[Skip.DROPPED] += len(mails) - len(open_ones)
        yield open_ones


def _chunks_of_query(db: Db, query: Document) -> Iterator[list[Document]]:
    after: Document = {}
    while True:
        found = db.failed_emails.find({"$and": [query, NOT_DROPPED, after]})
        mails = list(found.sort("_id", 1).limit(CHUNK))
        if not mails:
            return
        after = {"_id": {"$gt": mails[-1]["_id"]}}
        yield mails


def _note_missing(db: Db, ids: set[ObjectId], outcome: Outcome) -> None:
    sent = queue.sent_among(db, [{"_id": mail_id} for mail_id in ids])
    rest = {"_id": {"$in": list(ids - sent)}}
    queued = {mail["_id"] for mail in db.pending_emails.find(rest, {"_id": 1})}
    outcome.skipped[Skip.ALREADY_SENT] += len(sent)
    outcome.skipped[Skip.ALREADY_QUEUED] += len(queued)
    outcome.skipped[Skip.NOT_FOUND] += len(ids) - len(sent) - len(queued)
