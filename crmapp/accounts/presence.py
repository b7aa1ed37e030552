"""Who is there: a page that is open is heard of by its requests, or by its stream's heartbeats."""

from __future__ import annotations

import time
from datetime import timedelta

from bson import ObjectId

from crmapp.accounts.users import UserStatus
from crmapp.clock import now
from crmapp.database import Db, Document

# Of a user who is there, so often.
NOTE_SECONDS = 30.0
GONE_AFTER = timedelta(minutes=2)
REMEMBER_AT_MOST = 10_000

_noted: dict[tuple[str, str], float] = {}


def note_seen(db: Db, user_id: ObjectId, login: str) -> bool:
    """That the user is there, let in by `login`. Costs a write once in NOTE_SECONDS, and says whether it did."""
    key, time_now = (db.name, login), time.monotonic()
    if time_now - _noted.get(key, -NOTE_SECONDS) < NOTE_SECONDS:
        return False
    if len(_noted) >= REMEMBER_AT_MOST:
        _noted.clear()
    _noted[key] = time_now
    db.users.update_one({"_id": user_id}, {"$set": {"lastSeenAt": now(), "online": True}})
    return True


def refresh(db: Db) -> None:
    """Bring `online`, which `note_seen` sets, up to date. To be called once a minute."""
    since = now() - GONE_AFTER
    left = {"online": True, "lastSeenAt": {"$not": {"$gte": since}}}
    db.users.update_many(left, {"$set": {"online": False}})
    there = {"lastSeenAt": {"$gte": since}, "status": UserStatus.ACTIVE, "online": {"$ne": True}}
    db.users.update_many(there, {"$set": {"online": True}})


def has_left(user: Document) -> bool:
    """Whether nothing was heard of the user, as stored, for two minutes."""
    seen = user.get("lastSeenAt")
    return seen is None or now() - seen > GONE_AFTER
