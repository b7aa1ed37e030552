"""Tokens that a person makes for their own programs. Only a hash is kept: a token is random and long enough that
nobody finds it by trying, so a fast hash does."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from bson import ObjectId

from crmapp.accounts.users import User
from crmapp.clock import now
from crmapp.database import Db, Document
from crmapp.live.blueprint import live

PREFIX = "crm_"
SHOWN = 8
MOST_DAYS = 365
NOT_SHOWN = {"hash": 0}


def create(db: Db, user: User, name: str, days: int) -> tuple[str, Document]:
    """The token, which can be shown this once, and what is kept of it. It is good for `days`."""
    text, time = PREFIX + secrets.token_urlsafe(32), now()
    token = {
        "_id": ObjectId(),
        "userId": user.key,
        "name": name,
        "hash": _hash(text),
        "start": text[:SHOWN],
        "createdAt": time,
        "expiresAt": time + timedelta(days=days),
        "lastUsedAt": None,
        "lastAddress": None,
    }
    db.api_tokens.insert_one(token)
    return text, {name: value for name, value in token.items() if name not in NOT_SHOWN}


def of_user(db: Db, user_key: ObjectId) -> list[Document]:
    """Newest first, also those that have expired."""
    return list(db.api_tokens.find({"userId": user_key}, NOT_SHOWN).sort("createdAt", -1))


def revoke(db: Db, user_key: ObjectId, token_id: ObjectId) -> bool:
    """False where the user has no such token."""
    revoked = db.api_tokens.delete_one({"_id": token_id, "userId": user_key}).deleted_count == 1
    live.recheck(str(user_key))
    return revoked


def revoke_all(db: Db, user_key: ObjectId) -> None:
    db.api_tokens.delete_many({"userId": user_key})
    live.recheck(str(user_key))


def login_of(db: Db, text: str) -> str | None:
    """The login that the token `text` stands for, or None where it is none that counts."""
    found = db.api_tokens.find_one({"hash": _hash(text)}, {"_id": 1})
    return f"{PREFIX}{found['_id']}" if found else None


def find(db: Db, login: str) -> Document | None:
    """Whose token it is, {_id, userId}, while it counts."""
    token_id = login.removeprefix(PREFIX)
    if not ObjectId.is_valid(token_id):
        return None
    counts = {"_id": ObjectId(token_id), "expiresAt": {"$gt": now()}}
    return db.api_tokens.find_one(counts, {"userId": 1})


def note_used(db: Db, login: str, address: str) -> None:
    token_id = ObjectId(login.removeprefix(PREFIX))
    used = {"lastUsedAt": now(), "lastAddress": address}
    db.api_tokens.update_one({"_id": token_id}, {"$set": used})


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
