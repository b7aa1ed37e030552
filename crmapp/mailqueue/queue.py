"""Every query by which mail is queued, claimed and settled.

A mail is in `pending_emails` until it is settled. `visibleAt` is both its schedule and its lease: whoever claims it
moves that into the future under a token of their own, and only that token settles it. Settling begins with a record of
what happened and ends with the removal from the queue, so whoever finds a lapsed lease can finish what was begun.
"""

from __future__ import annotations

import random
import secrets
import time
from collections import deque
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from bson import ObjectId
from pymongo import WriteConcern
from pymongo.client_session import ClientSession
from pymongo.errors import BulkWriteError

from crmapp.clock import now
from crmapp.database import DUPLICATE_KEY, Db, Document
from crmapp.jobs.progress import MailCounts

BELL = "bell/mail"
# That a mail was removed need not be waited for: its `sent` event or its failure is on record.
SOON = WriteConcern(w=1)
LOOK_SECONDS = 0.1
BY_SESSION = [("sessionId", 1), ("status", 1), ("visibleAt", 1)]


class MailStatus(StrEnum):
    """Of a mail that is in the queue."""

    PENDING = "pending"  # to be sent from `visibleAt` on
    PROCESSING = "processing"  # claimed by a sender until `visibleAt`


class MailEvent(StrEnum):
    """What the timeline says of a mail."""

    SENT = "sent"  # the server took it
    DEFERRED = "deferred"  # it will be tried again
    FAILED = "failed"  # it was given up
    VOID = "void"  # nobody needs it any more
    LAPSED = "lapsed"  # its sender stopped before it could say what became of it
    REQUEUED = "requeued"  # an administrator had it tried again
    DROPPED = "dropped"  # an administrator gave it up
    CORRECTED = "corrected"  # an administrator sent it to another address


LAPSED_REPLY = (
    "The sender that had this mail stopped before it was settled. It may have been sent; it is tried again with the "
    "same Message-ID."
)


def new_mail(
    template: str,
    user_id: ObjectId,
    email: str,
    session_id: str | None,
    domain: str,
    created_at: datetime,
    held_until: datetime | None = None,
) -> Document:
    """A mail to be queued, and not to be sent before `held_until`. Its Message-ID is made here, once (RFC 5322, 3.6.4),
    and kept through every attempt."""
    mail_id = ObjectId()
    return {
        "_id": mail_id,
        "userId": user_id,
        "email": email,
        "template": template,
        "sessionId": session_id,
        "messageId": f"<{mail_id}@{domain}>",
        "status": MailStatus.PENDING,
        "attempts": 0,
        "throttles": 0,
        "visibleAt": max(created_at, held_until) if held_until else created_at,
        "token": None,
        "createdAt": created_at,
    }


def enqueue(db: Db, mails: list[Document], session: ClientSession | None = None) -> None:
    """Put mails into the queue, in `session`'s transaction where one is given. Ring BELL after it is committed."""
    db.pending_emails.insert_many(mails, session=session)


def hold_session(db: Db, session_id: str, until: datetime) -> None:
    """Send no mail of the session before `until`, except what a sender has, or was tried, already."""
    waiting = {"sessionId": session_id, "status": MailStatus.PENDING, "attempts": 0, "throttles": 0}
    db.pending_emails.update_many(waiting, {"$set": {"visibleAt": until}})


class Turns:
    """Whose mail is claimed next: sessions take turns, so that five mails do not wait behind fifty thousand. For one
    process; it remembers for LOOK_SECONDS which sessions have mail."""

    def __init__(self) -> None:
        self._sessions: deque[str | None] = deque()
        self._look_at = 0.0

    def is_time_to_look(self) -> bool:
        return not self._sessions or time.monotonic() >= self._look_at

    def look(self, db: Db) -> None:
        self._look_at = time.monotonic() + LOOK_SECONDS
        found = set(db.pending_emails.distinct("sessionId"))
        known = [session for session in self._sessions if session in found]
        # Who comes new has waited for longest since a turn.
        self._sessions = deque([*(found - set(known)), *known])

    def find(self, db: Db, count: int, skip: int = 0) -> list[Document]:
        """Up to `count` mails that are due, the oldest of the session whose turn it is; where it has fewer, also of
        those that follow."""
        found: list[Document] = []
        for _ in range(len(self._sessions)):
            session = self._sessions[0]
            some = _due_of(db, session, count - len(found), skip)
            found += some
            self._sessions.popleft()
            if some:
                self._sessions.append(session)
            if len(found) >= count:
                break
        return found


def claim(db: Db, count: int, lease_seconds: float, turns: Turns | None = None) -> list[Document]:
    """Up to `count` mails that are due, and the caller's for `lease_seconds`, with those first whose sender stopped.
    Give the same `turns` each time."""
    turns = turns or Turns()
    heirs: list[Document] = []
    if turns.is_time_to_look():
        turns.look(db)
        heirs = _claim_lapsed(db, count, lease_seconds)
    return heirs + _claim_due(db, count - len(heirs), lease_seconds, turns)


def _claim_lapsed(db: Db, count: int, lease_seconds: float) -> list[Document]:
    query = {"status": MailStatus.PROCESSING, "visibleAt": {"$lte": now()}}
    lapsed = list(db.pending_emails.find(query).sort("visibleAt", 1).limit(count))
    heirs = _finish_settling(db, _take(db, lapsed, lease_seconds))
    if heirs:
        db.events.insert_many([event(mail, MailEvent.LAPSED, LAPSED_REPLY) for mail in heirs])
    return heirs


def _claim_due(db: Db, count: int, lease_seconds: float, turns: Turns) -> list[Document]:
    if count <= 0:
        return []
    found = turns.find(db, count)
    taken = _take(db, found, lease_seconds)
    while found and not taken:
        # Another process was faster with all of them: look elsewhere.
        found = turns.find(db, count, random.randrange(4 * count))  # noqa: S311
        taken = _take(db, found, lease_seconds)
    # Two administrators may have retried it, and the first one's was sent in between.
    again = [mail for mail in taken if "requeuedAt" in mail]
    sent = sent_among(db, again)
    _remove(db, [mail for mail in again if mail["_id"] in sent])
    return [mail for mail in taken if mail["_id"] not in sent]


def _due() -> Document:
    return {"status": MailStatus.PENDING, "visibleAt": {"$lte": now()}}


def _due_of(db: Db, session: str | None, count: int, skip: int) -> list[Document]:
    found = db.pending_emails.find({"sessionId": session, **_due()})
    return list(found.sort("visibleAt", 1).hint(BY_SESSION).skip(skip).limit(count))


def _take(db: Db, mails: list[Document], lease_seconds: float) -> list[Document]:
    """Those of `mails` that nobody else has taken since they were read."""
    if not mails:
        return []
    ids = [mail["_id"] for mail in mails]
    taken = {
        "status": MailStatus.PROCESSING,
        "token": secrets.token_hex(12),
        "visibleAt": now() + timedelta(seconds=lease_seconds),
    }
    result = db.pending_emails.update_many(
        {"_id": {"$in": ids}, "visibleAt": {"$lte": now()}}, {"$set": taken}
    )
    if result.matched_count == len(mails):
        return [{**mail, **taken} for mail in mails]
    return list(db.pending_emails.find({"_id": {"$in": ids}, "token": taken["token"]}))


def _finish_settling(db: Db, mails: list[Document]) -> list[Document]:
    """End what a sender that died in the middle of settling had begun. Returns the mails that are still to be sent."""
    sent = sent_among(db, mails)
    _remove(db, [mail for mail in mails if mail["_id"] in sent])
    open_ones = [mail for mail in mails if mail["_id"] not in sent]
    for mail in open_ones:
        if "failure" in mail:
            _move_to_failed(db, mail)
    return [mail for mail in open_ones if "failure" not in mail]


def sent_among(db: Db, mails: Iterable[Document]) -> set[ObjectId]:
    """The ids of those of `mails` that were sent: the record of that has the mail's own id."""
    ids = [mail["_id"] for mail in mails]
    if not ids:
        return set()
    return {event["_id"] for event in db.events.find({"_id": {"$in": ids}}, {"_id": 1})}


def note_sent(db: Db, sent: list[tuple[Document, str]]) -> None:
    """The server took these mails, and said the text beside each. From here on none of them is sent again;
    `remove_sent` has to follow."""
    events = [
        {**event(mail, MailEvent.SENT, reply), "_id": mail["_id"], "token": mail["token"]}
        for mail, reply in sent
    ]
    try:
        db.events.insert_many(events, ordered=False)
    except BulkWriteError as error:
        faults = error.details["writeErrors"]
        if not faults or any(fault["code"] != DUPLICATE_KEY for fault in faults):
            raise
        _note_repeats(db, [sent[fault["index"]] for fault in faults])


def _note_repeats(db: Db, noted: list[tuple[Document, str]]) -> None:
    """Where another sender had a mail too, after this one's lease had lapsed, the timeline says so. Under the same
    token it is this very note, which was written although the answer was lost."""
    ids = {"_id": {"$in": [mail["_id"] for mail, _ in noted]}}
    tokens = {found["_id"]: found.get("token") for found in db.events.find(ids, {"token": 1})}
    repeats = [pair for pair in noted if tokens.get(pair[0]["_id"]) != pair[0]["token"]]
    if repeats:
        db.events.insert_many([_repeat(*pair) for pair in repeats])


def _repeat(mail: Document, reply: str) -> Document:
    return event(mail, MailEvent.SENT, f"sent again: {reply}") | {"repeat": True}


def remove_sent(db: Db, mails: list[Document]) -> None:
    """Ends what `note_sent` began."""
    # A sender that had one of them meanwhile, after this one's lease had lapsed, may have given it up.
    ids = {"_id": {"$in": [mail["_id"] for mail in mails]}}
    db.failed_emails.with_options(write_concern=SOON).delete_many(ids)
    _remove(db, mails)


def settle_void(db: Db, mail: Document, why: str) -> None:
    """Nobody needs `mail` any more: its user is gone, or has a password already."""
    db.events.insert_one(event(mail, MailEvent.VOID, why))
    _fail(db, mail, "no_longer_needed", why)


def settle_failed(db: Db, mail: Document, reason: str, reply: str) -> None:
    """`mail` will not be tried again."""
    db.events.insert_one(event(mail, MailEvent.FAILED, reply, reason))
    _fail(db, mail, reason, reply)


def defer(db: Db, mail: Document, seconds: float, reason: str, reply: str) -> None:
    """Try `mail` again in `seconds`; this attempt counts."""
    db.events.insert_one(event(mail, MailEvent.DEFERRED, reply, reason))
    _back_to_pending(db, [mail], seconds, {"attempts": 1})


def hold_back(db: Db, mail: Document, seconds: float, reason: str, reply: str) -> None:
    """Try `mail` again in `seconds`, because the server asked for less mail; no attempt is spent."""
    db.events.insert_one(event(mail, MailEvent.DEFERRED, reply, reason))
    _back_to_pending(db, [mail], seconds, {"throttles": 1})


def release(db: Db, mails: list[Document]) -> None:
    """Give `mails` back untried; no attempt is spent."""
    _back_to_pending(db, mails, 0.0, {"attempts": 0})


def _back_to_pending(db: Db, mails: list[Document], seconds: float, spent: dict[str, int]) -> None:
    changes = {
        "status": MailStatus.PENDING,
        "token": None,
        "visibleAt": now() + timedelta(seconds=seconds),
    }
    db.pending_emails.update_many(_held(mails), {"$set": changes, "$inc": spent})


def _fail(db: Db, mail: Document, reason: str, error: str) -> None:
    failure = {
        "reason": reason,
        "error": error,
        "attempts": mail["attempts"] + 1,
        "lastAttemptDate": now(),
    }
    if sent_among(db, [mail]):
        _remove(db, [mail])
    elif db.pending_emails.update_one(_held([mail]), {"$set": {"failure": failure}}).matched_count:
        _move_to_failed(db, {**mail, "failure": failure})


NOT_KEPT = ("failure", "status", "token", "visibleAt", "throttles", "requeuedAt")


def _move_to_failed(db: Db, mail: Document) -> None:
    kept = {name: value for name, value in mail.items() if name not in NOT_KEPT}
    failed = {**kept, **mail["failure"], "dropped": False}
    db.failed_emails.replace_one({"_id": mail["_id"]}, failed, upsert=True)
    _remove(db, [mail])


def _remove(db: Db, mails: list[Document]) -> None:
    if mails:
        db.pending_emails.with_options(write_concern=SOON).delete_many(_held(mails))


def _held(mails: list[Document]) -> Document:
    tokens = list({mail["token"] for mail in mails})
    return {"_id": {"$in": [mail["_id"] for mail in mails]}, "token": {"$in": tokens}}


def event(
    mail: Document,
    type: MailEvent,
    reply: str,
    reason: str | None = None,
    by: Document | None = None,
) -> Document:
    """An entry in the timeline of `mail`. `by` is the administrator whose doing it was: {id, name}."""
    entry: dict[str, Any] = {
        "type": type,
        "userId": mail["userId"],
        "sessionId": mail["sessionId"],
        "mailId": mail["_id"],
        "messageId": mail["messageId"],
        "email": mail["email"],
        "template": mail["template"],
        "attempt": mail["attempts"] + 1,
        "reply": reply,
        "at": now(),
    }
    if reason:
        entry["reason"] = reason
    return {**entry, "by": by} if by else entry


def count_of_session(db: Db, session_id: str) -> MailCounts:
    """What became of the mails of one session."""
    of_session = {"sessionId": session_id}
    return MailCounts(
        sent=db.events.count_documents({**of_session, "type": MailEvent.SENT, "repeat": None}),
        failed=db.failed_emails.count_documents(of_session),
        waiting=db.pending_emails.find_one(of_session, {"_id": 1}) is not None,
    )


def any_due(db: Db) -> bool:
    """Whether there is one to claim."""
    due = {"status": {"$in": list(MailStatus)}, "visibleAt": {"$lte": now()}}
    return db.pending_emails.find_one(due, {"_id": 1}) is not None


def oldest_due(db: Db) -> datetime | None:
    """When the mail that has been due for longest became so; None where none is due."""
    found = db.pending_emails.find_one(_due(), {"visibleAt": 1}, sort=[("visibleAt", 1)])
    return found["visibleAt"] if found else None


def seconds_to_next(db: Db) -> float:
    """Until the next mail that waits for its time, or the next lease that may lapse; an hour where there is none."""
    waits = []
    for status in MailStatus:
        first = db.pending_emails.find_one({"status": status}, sort=[("visibleAt", 1)])
        if first:
            waits.append((first["visibleAt"] - now()).total_seconds())
    return max(0.05, min(waits, default=3600.0))
