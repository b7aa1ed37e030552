"""What an activation is compared with, against the same MongoDB and the same indexes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import bcrypt
from bson import ObjectId

from crmapp.clock import now
from crmapp.database import Db, Document

CHUNK = 500


def loop(db: Db, hashed: bool) -> float:
    """Activate every lead of `db` one by one, as the requirement describes it. Returns leads a second."""
    leads = list(db.leads.find())
    began = time.monotonic()
    for lead in leads:
        _activate(db, lead, _bcrypt if hashed else lambda password: password)
    return len(leads) / (time.monotonic() - began)


def _bcrypt(password: str) -> str:
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt()).decode()


def _activate(db: Db, lead: Document, hash_password: Callable[[str], str]) -> None:
    if db.users.find_one({"email": lead["email"]}):
        return
    user = {
        "_id": ObjectId(),
        "email": lead["email"],
        "name": lead["name"],
        "role": "user",
        "leadId": lead["_id"],
        "passwordHash": hash_password("a made-up password"),
        "createdAt": now(),
    }
    db.users.insert_one(user)
    db.leads.update_one({"_id": lead["_id"]}, {"$set": {"status": "active", "userId": user["_id"]}})
    mail = {"userId": user["_id"], "email": user["email"], "status": "pending", "sessionId": "peer"}
    db.pending_emails.insert_one({**mail, "visibleAt": now(), "createdAt": now()})
    db.activation_progress.update_one(
        {"sessionId": "peer"},
        {"$inc": {"activated": 1, "emailsPending": 1}, "$set": {"updatedAt": now()}},
        upsert=True,
    )


def limit(db: Db, users: list[Any], mails: list[Any]) -> float:
    """Insert these very documents in chunks of CHUNK, and nothing else. Returns leads a second."""
    began = time.monotonic()
    for start in range(0, len(users), CHUNK):
        db.users.insert_many(users[start : start + CHUNK])
        db.pending_emails.insert_many(mails[start : start + CHUNK])
    return len(users) / (time.monotonic() - began)
