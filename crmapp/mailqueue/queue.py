"""Every query of the e-mail queue, in one place.

A mail is in `pending_emails` until it is settled. `visibleAt` is both its schedule and its lease: whoever claims it
moves that into the future under a token of their own, and only that token settles it. Settling begins with a record of
what happened and ends with the removal from the queue, so whoever finds a lapsed lease can finish what was begun.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from bson import ObjectId
from pymongo.client_session import ClientSession
from pymongo.errors import DuplicateKeyError

from crmapp.clock import now
from crmapp.database import Db, Document
from crmapp.jobs.progress import MailCounts

BELL = "bell/mail"


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


def new_mail(
    template: str,
    user_id: ObjectId,
    email: str,
    session_id: str | None,
    domain: str,
    created_at: datetime,
) -> Document:
    """A mail to be queued. Its Message-ID is made here, once (RFC 5322, 3.6.4), and kept through every attempt."""
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
        "visibleAt": created_at,
        "token": None,
        "createdAt": created_at,
    }


def enqueue(db: Db, mails: list[Document], session: ClientSession | None = None) -> None:
    """Put mails into the queue, in `session`'s transaction where one is given. Ring BELL after it is committed."""
    db.pending_emails.insert_many(mails, session=session)


def claim(db: Db, count: int, lease_seconds: int) -> list[Document]:
    """Up to `count` mails that are due, oldest first, and the caller's for `lease_seconds`.

    A mail that comes with status `processing` was claimed before by somebody who did not settle it.
    """
    due = {"status": {"$in": list(MailStatus)}, "visibleAt": {"$lte": now()}}
    found = list(db.pending_emails.find(due, {"status": 1}).sort("visibleAt", 1).limit(count))
    if not found:
        return []
    lapsed = {mail["_id"] for mail in found if mail["status"] == MailStatus.PROCESSING}
    token = secrets.token_hex(12)
    db.pending_emails.update_many(
        {"_id": {"$in": [mail["_id"] for mail in found]}, "visibleAt": {"$lte": now()}},
        {
            "$set": {
                "status": MailStatus.PROCESSING,
                "token": token,
                "visibleAt": now() + timedelta(seconds=lease_seconds),
            }
        },
    )
    ids = {"_id": {"$in": [mail["_id"] for mail in found]}, "token": token}
    claimed = list(db.pending_emails.find(ids).sort("createdAt", 1))
    return [mail for mail in claimed if not _finish_settling(db, mail, mail["_id"] in lapsed)]


def _finish_settling(db: Db, mail: Document, lapsed: bool) -> bool:
    """End what a sender that died in the middle of settling had begun. Says whether it was so."""
    if "failure" in mail:
        _move_to_failed(db, mail)
        return True
    if lapsed and _was_sent(db, mail):
        _remove(db, mail)
        return True
    return False


def _was_sent(db: Db, mail: Document) -> bool:
    return db.events.find_one({"_id": mail["_id"]}, {"_id": 1}) is not None


def settle_sent(db: Db, mail: Document, reply: str) -> None:
    """The server took `mail` and said `reply`."""
    try:
        db.events.insert_one({**_event(mail, MailEvent.SENT, reply), "_id": mail["_id"]})
    except DuplicateKeyError:
        # Another sender had it too, after this one's lease had lapsed: the timeline says so.
        db.events.insert_one(
            _event(mail, MailEvent.SENT, f"sent again: {reply}") | {"repeat": True}
        )
    # A sender that had it meanwhile, after this one's lease had lapsed, may have given it up.
    db.failed_emails.delete_one({"_id": mail["_id"]})
    _remove(db, mail)


def settle_void(db: Db, mail: Document, why: str) -> None:
    """Nobody needs `mail` any more: its user is gone, or has a password already."""
    db.events.insert_one(_event(mail, MailEvent.VOID, why))
    _fail(db, mail, "no_longer_needed", why)


def settle_failed(db: Db, mail: Document, reason: str, reply: str) -> None:
    """`mail` will not be tried again."""
    db.events.insert_one(_event(mail, MailEvent.FAILED, reply, reason))
    _fail(db, mail, reason, reply)


def defer(db: Db, mail: Document, seconds: float, reason: str, reply: str) -> None:
    """Try `mail` again in `seconds`; this attempt counts."""
    db.events.insert_one(_event(mail, MailEvent.DEFERRED, reply, reason))
    _back_to_pending(db, mail, seconds, attempts=1)


def release(db: Db, mail: Document) -> None:
    """Give `mail` back untried; no attempt is spent."""
    _back_to_pending(db, mail, 0.0, attempts=0)


def _back_to_pending(db: Db, mail: Document, seconds: float, attempts: int) -> None:
    changes = {
        "status": MailStatus.PENDING,
        "token": None,
        "visibleAt": now() + timedelta(seconds=seconds),
    }
    db.pending_emails.update_one(_held(mail), {"$set": changes, "$inc": {"attempts": attempts}})


def _fail(db: Db, mail: Document, reason: str, error: str) -> None:
    failure = {
        "reason": reason,
        "error": error,
        "attempts": mail["attempts"] + 1,
        "lastAttemptDate": now(),
    }
    if _was_sent(db, mail):
        _remove(db, mail)
    elif db.pending_emails.update_one(_held(mail), {"$set": {"failure": failure}}).matched_count:
        _move_to_failed(db, {**mail, "failure": failure})


def _move_to_failed(db: Db, mail: Document) -> None:
    kept = {k: v for k, v in mail.items() if k not in ("failure", "status", "token", "visibleAt")}
    db.failed_emails.replace_one({"_id": mail["_id"]}, {**kept, **mail["failure"]}, upsert=True)
    _remove(db, mail)


def _remove(db: Db, mail: Document) -> None:
    db.pending_emails.delete_one(_held(mail))


def _held(mail: Document) -> Document:
    return {"_id": mail["_id"], "token": mail["token"]}


def _event(mail: Document, type: MailEvent, reply: str, reason: str | None = None) -> Document:
    event: dict[str, Any] = {
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
    return {**event, "reason": reason} if reason else event


def count_of_session(db: Db, session_id: str) -> MailCounts:
    """What became of the mails of one session."""
    of_session = {"sessionId": session_id}
    return MailCounts(
        sent=db.events.count_documents({**of_session, "type": MailEvent.SENT, "repeat": None}),
        failed=db.failed_emails.count_documents(of_session),
        waiting=db.pending_emails.find_one(of_session, {"_id": 1}) is not None,
    )


def counts(db: Db) -> Document:
    """Of the whole queue: pending, processing, failed, and total = pending + processing."""
    pending, processing = (
        db.pending_emails.count_documents({"status": status}) for status in MailStatus
    )
    return {
        "pending": pending,
        "processing": processing,
        "failed": db.failed_emails.count_documents({}),
        "total": pending + processing,
    }


def seconds_to_next(db: Db) -> float:
    """Until the next mail that waits for its time, or the next lease that may lapse; an hour where there is none."""
    waits = []
    for status in MailStatus:
        first = db.pending_emails.find_one({"status": status}, sort=[("visibleAt", 1)])
        if first:
            waits.append((first["visibleAt"] - now()).total_seconds())
    return max(0.05, min(waits, default=3600.0))
