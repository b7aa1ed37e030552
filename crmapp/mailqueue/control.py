"""What all senders and pages of an installation know of each other: whether the queue is paused, and whether the mail
server can be used."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from crmapp.clock import now
from crmapp.database import Db, Document

PAUSE: Document = {"_id": "pause"}
OUTAGE: Document = {"_id": "outage"}
SLOWED: Document = {"_id": "slowed"}


def pause(db: Db, by: Document) -> bool:
    """Let no mail leave until `resume`. `by` is who wants it: {id, name}. False where it was paused already.
    Ring the queue's bell afterwards."""
    entry = {"by": by, "at": now()}
    return (
        db.mail_control.update_one(PAUSE, {"$setOnInsert": entry}, upsert=True).upserted_id
        is not None
    )


def resume(db: Db) -> bool:
    """False where it was not paused. Ring the queue's bell afterwards."""
    return db.mail_control.delete_one(PAUSE).deleted_count == 1


def paused(db: Db) -> Document | None:
    """Who paused the queue, and when: {by, at}."""
    return db.mail_control.find_one(PAUSE)


def note_outage(db: Db, reason: str, words: str, seconds: float) -> None:
    """The mail server cannot be used, and is tried again in `seconds`. `reason` is a sentence without its end."""
    changes = {
        "reason": reason,
        "words": words,
        "nextTryAt": now() + timedelta(seconds=seconds),
    }
    db.mail_control.update_one(
        OUTAGE, {"$set": changes, "$setOnInsert": {"since": now()}}, upsert=True
    )


def note_recovery(db: Db) -> None:
    db.mail_control.delete_one(OUTAGE)


def outage(db: Db) -> Document | None:
    """{reason, words, since, nextTryAt} while the mail server cannot be used."""
    return db.mail_control.find_one(OUTAGE)


def note_slowed(db: Db, words: str) -> None:
    """The mail server asked for less mail."""
    db.mail_control.update_one(
        SLOWED,
        {"$set": {"words": words, "at": now()}, "$setOnInsert": {"since": now()}},
        upsert=True,
    )


def note_full_speed(db: Db) -> None:
    db.mail_control.delete_one(SLOWED)


def slowed(db: Db) -> Document | None:
    """{words, since, at} while fewer mails are sent because the server asked for that."""
    return db.mail_control.find_one(SLOWED)


def seen(db: Db, worker: str, sent_last_minute: int) -> None:
    """A worker is alive."""
    db.workers.update_one(
        {"_id": worker},
        [{"$set": {"seenAt": "$$NOW", "sentLastMinute": sent_last_minute}}],
        upsert=True,
    )


def last_seen(db: Db) -> datetime | None:
    """When a worker was seen last; None where none ever was."""
    newest: Any = db.workers.find_one({}, {"seenAt": 1}, sort=[("seenAt", -1)])
    return newest["seenAt"] if newest else None


def sent_last_minute(db: Db) -> int:
    """By all workers together."""
    recent = {"seenAt": {"$gt": now() - timedelta(seconds=60)}}
    return sum(worker["sentLastMinute"] for worker in db.workers.find(recent))
