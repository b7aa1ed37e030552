"""What an administrator sees of one user: who they are, who invited them, and what became of their mail."""

from __future__ import annotations

from bson import ObjectId

from crmapp.accounts import sessions
from crmapp.accounts.users import User
from crmapp.database import Db, Document
from crmapp.invitations import people as told
from crmapp.invitations.letter import TEMPLATE
from crmapp.mailqueue.counts import NOT_DROPPED
from crmapp.mailqueue.filters import waiting_of
from crmapp.people import listing
from crmapp.people.verdicts import Reason, Refused

MORE = ("firstSignInAt", "activationId", "leadId")


def find(db: Db, actor: User, user_id: ObjectId) -> Document:
    """{person, sessions, invited_by, timeline, waiting, failed_mail}: in how many places they are signed in; the name
    of who invited them; events, newest first; whether an invitation waits in the queue; the id of the failed one.

    Raises Refused where there is no such user.
    """
    user = db.users.find_one({"_id": user_id})
    if user is None:
        raise Refused(Reason.NOT_FOUND)
    of_template = {"template": TEMPLATE}
    mine = {"userId": user_id, **of_template, **NOT_DROPPED}
    failed = db.failed_emails.find_one(mine, {"_id": 1}, sort=[("_id", -1)])
    waiting = db.pending_emails.find_one({**waiting_of(user), **of_template}, {"_id": 1})
    return {
        "person": {**listing.public(user, actor), **{name: user.get(name) for name in MORE}},
        "sessions": len(sessions.of_user(db, user_id)),
        "invited_by": told.name_of(db, user.get("invitedBy")),
        "timeline": told.timeline(db, user_id),
        "waiting": waiting is not None,
        "failed_mail": failed["_id"] if failed else None,
    }
