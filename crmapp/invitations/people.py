"""What is told of users: their names, and what became of their mail."""

from __future__ import annotations

from bson import ObjectId

from crmapp.database import Db, Document
from crmapp.mailqueue import rows

NEWEST_EVENTS = 200


def name_of(db: Db, user_id: ObjectId | None) -> str | None:
    user = db.users.find_one({"_id": user_id}, {"name": 1}) if user_id else None
    return user["name"] if user else None


def timeline(db: Db, user_id: ObjectId, most: int = NEWEST_EVENTS) -> list[Document]:
    """What became of the mail to a user, the newest first."""
    events = db.events.find({"userId": user_id}).sort("at", -1).limit(most)
    return [rows.entry(event) for event in events]
