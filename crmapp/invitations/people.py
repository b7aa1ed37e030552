"""What an administrator sees of one user: who they are, who invited them, and what became of their mail."""

from __future__ import annotations

from bson import ObjectId

from crmapp.database import Db, Document
from crmapp.invitations.letter import TEMPLATE
from crmapp.mailqueue import rows
from crmapp.mailqueue.counts import NOT_DROPPED
from crmapp.mailqueue.filters import waiting_of

NEWEST_EVENTS = 200


def find(db: Db, user_id: ObjectId) -> Document | None:
    """{person, invited_by, timeline, waiting, failed_mail}: the name of who invited them; events, newest first;
    whether an invitation waits in the queue; the id of the failed one."""
    user = db.users.find_one({"_id": user_id})
    if user is None:
        return None
    of_template = {"template": TEMPLATE}
    mine = {"userId": user_id, **of_template, **NOT_DROPPED}
    failed = db.failed_emails.find_one(mine, {"_id": 1}, sort=[("_id", -1)])
    waiting = db.pending_emails.find_one({**waiting_of(user), **of_template}, {"_id": 1})
    return {
        "person": _shown(user),
        "invited_by": name_of(db, user.get("invitedBy")),
        "timeline": timeline(db, user_id),
        "waiting": waiting is not None,
        "failed_mail": failed["_id"] if failed else None,
    }


def _shown(user: Document) -> Document:
    names = ("name", "email", "role", "status", "createdAt", "firstSignInAt", "lastSeenAt")
    more = ("activationId", "leadId")
    return {"id": user["_id"], **{name: user.get(name) for name in (*names, *more)}}


def name_of(db: Db, user_id: ObjectId | None) -> str | None:
    user = db.users.find_one({"_id": user_id}, {"name": 1}) if user_id else None
    return user["name"] if user else None


def timeline(db: Db, user_id: ObjectId, most: int = NEWEST_EVENTS) -> list[Document]:
    """What became of the mail to a user, the newest first."""
    events = db.events.find({"userId": user_id}).sort("at", -1).limit(most)
    return [rows.entry(event) for event in events]
