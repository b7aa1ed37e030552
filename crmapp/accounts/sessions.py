"""Where a user is signed in: one row per browser or program, which ends with it.

What a cookie or bearer token holds is the session's login: the user, their `sessionVersion` and the row. It lets in for
as long as the row is there and the version is the user's, so that one session can be ended, and all of them at once.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from enum import StrEnum

from bson import ObjectId
from pymongo import ReturnDocument

from crmapp.accounts.users import User
from crmapp.clock import now
from crmapp.database import Db, Document
from crmapp.live.blueprint import live

LONGEST_AGENT = 300


class Kind(StrEnum):
    BROWSER = "browser"  # a cookie
    PROGRAM = "program"  # a bearer token of POST /api/login


LASTS = {Kind.BROWSER: timedelta(days=14), Kind.PROGRAM: timedelta(hours=12)}


def begin(db: Db, user: User, kind: Kind, address: str, agent: str) -> str:
    """Note that `user` has signed in from the computer `address` with the program `agent` (its User-Agent). Returns
    the login."""
    session_id, time = secrets.token_urlsafe(12), now()
    db.sessions.insert_one(
        {
            "_id": session_id,
            "userId": user.key,
            "version": user.session_version,
            "kind": kind,
            "address": address,
            "agent": agent[:LONGEST_AGENT],
            "createdAt": time,
            "lastSeenAt": time,
            "expireAt": time + LASTS[kind],
        }
    )
    return f"{user.id}.{user.session_version}.{session_id}"


def id_of(login: str) -> str:
    """The session of a login."""
    return login.rpartition(".")[2]


def find(db: Db, session_id: str) -> Document | None:
    """One that has not ended: {_id, userId, version}."""
    shown = {"userId": 1, "version": 1}
    return db.sessions.find_one({"_id": session_id, "expireAt": {"$gt": now()}}, shown)


def note_seen(db: Db, session_id: str) -> None:
    db.sessions.update_one({"_id": session_id}, {"$set": {"lastSeenAt": now()}})


def of_user(db: Db, user_key: ObjectId) -> list[Document]:
    """Where the user is signed in, newest seen first."""
    there = {"userId": user_key, "expireAt": {"$gt": now()}}
    return list(db.sessions.find(there).sort([("lastSeenAt", -1), ("_id", 1)]))


def end(db: Db, user_key: ObjectId, session_id: str) -> bool:
    """End one session of the user. False where there was none."""
    ended = db.sessions.delete_one({"_id": session_id, "userId": user_key}).deleted_count == 1
    live.recheck(str(user_key))
    return ended


def end_others(db: Db, user_key: ObjectId, session_id: str) -> None:
    """End every session of the user but this one, which lasts no longer than before."""
    db.sessions.delete_many({"userId": user_key, "_id": {"$ne": session_id}})
    live.recheck(str(user_key))


def end_all(db: Db, user_key: ObjectId) -> User | None:
    """Sign the user out everywhere; their open streams end within a second or so. Returns the user as they are now,
    ready to be signed in anew; None where there is none."""
    newer = {"$inc": {"sessionVersion": 1}}
    user = db.users.find_one_and_update(
        {"_id": user_key}, newer, return_document=ReturnDocument.AFTER
    )
    db.sessions.delete_many({"userId": user_key})
    live.recheck(str(user_key))
    return User(user) if user else None
