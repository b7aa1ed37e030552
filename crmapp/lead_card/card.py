"""Everything that a lead's page shows."""

from __future__ import annotations

from crmapp.accounts.users import User
from crmapp.database import Db, Document
from crmapp.goals import goals
from crmapp.journal import entries
from crmapp.lead_card import timeline

NEWEST_ENTRIES = 5
NEWEST_GOALS = 5


def around(db: Db, lead: Document, viewer: User) -> Document:
    """What belongs to the shown `lead`: {user, timeline, more, journal, goals}, as far as `viewer` may open it. `user`
    is None where the lead has no account; `more` says that the timeline is longer."""
    # Its type is said for the index, which holds only such ids.
    user = db.users.find_one({"leadId": {"$eq": lead["_id"], "$type": "objectId"}})
    told, more = timeline.of(db, lead, user, viewer)
    journal, _ = entries.list_page(db, viewer, {"lead": str(lead["_id"])})
    return {
        "user": _public(user) if user else None,
        "timeline": told,
        "more": more,
        "journal": {"items": journal.items[:NEWEST_ENTRIES], "total": journal.total},
        "goals": _goals(db, viewer, lead),
    }


def _public(user: Document) -> Document:
    names = ("name", "email", "status", "createdAt", "lastSeenAt", "firstSignInAt")
    return {"id": user["_id"], **{name: user.get(name) for name in names}}


def _goals(db: Db, viewer: User, lead: Document) -> Document:
    if lead["agentId"] is None:
        return {"items": [], "total": 0}
    page, _ = goals.list_page(db, viewer, {"person": str(lead["agentId"])})
    return {"items": page.items[:NEWEST_GOALS], "total": page.total}
