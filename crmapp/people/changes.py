"""The writes that add a person and change one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from bson import ObjectId
from pymongo.client_session import ClientSession
from pymongo.errors import DuplicateKeyError

from crmapp.accounts import api_tokens, sessions
from crmapp.accounts.users import Role, User, UserStatus, new_user
from crmapp.clock import now
from crmapp.database import Db, Document
from crmapp.invitations.letter import new_mail
from crmapp.mailqueue import queue
from crmapp.mailqueue.announce import announce
from crmapp.people import verdicts
from crmapp.people.verdicts import Reason, Refused
from crmapp.requests import BadInput

T = TypeVar("T")

ACTIVE_SUPERADMIN = {"role": Role.SUPERADMIN, "status": UserStatus.ACTIVE}


def add(db: Db, actor: User, name: str, email: str, role: Role) -> Document:
    """Create a user, whose `email` is normalised, and invite them by mail. Raises Refused for a role that `actor`
    may not give, BadInput (409) where somebody has the address."""
    verdicts.check_role(actor, role)
    user = new_user(email, name, role, invitedBy=actor.key)

    def work(session: ClientSession) -> None:
        db.users.insert_one(user, session=session)
        queue.enqueue(db, [new_mail(user, None)], session)

    try:
        _in_transaction(db, work)
    except DuplicateKeyError:
        raise BadInput(f"Another user has the address {email} already.", 409) from None
    announce(db)
    return user


def change(db: Db, actor: User, user_id: ObjectId, wanted: Mapping[str, Any]) -> Document:
    """Give a user the `wanted` name, role and status (see verdicts.changes). Returns what has changed. Who gets
    another role or status is signed out everywhere. Raises Refused."""

    def work(session: ClientSession) -> Document:
        user = db.users.find_one({"_id": user_id}, session=session)
        changed = verdicts.changes(actor, user, wanted)
        if user and _ends_a_superadmin(user, changed):
            _keep_one(db, session)
        more = {"online": False} if changed.get("status") == UserStatus.DISABLED else {}
        db.users.update_one(
            {"_id": user_id},
            {"$set": {**changed, **more}, "$unset": {"resetNonce": 1}},
            session=session,
        )
        return changed

    changed = _in_transaction(db, work)
    if changed.keys() & {"role", "status"}:
        api_tokens.revoke_all(db, user_id)
        sessions.end_all(db, user_id)
    return changed


def _ends_a_superadmin(user: Document, changed: Document) -> bool:
    before = {name: user.get(name) for name in ACTIVE_SUPERADMIN}
    return before == ACTIVE_SUPERADMIN and bool(changed.keys() & before.keys())


def _keep_one(db: Db, session: ClientSession) -> None:
    """Raise Refused for the last one. It writes every one, so that of two who remove each other at once one has to
    begin again, and finds out."""
    noted = {"$set": {"superadminsCountedAt": now()}}
    if db.users.update_many(ACTIVE_SUPERADMIN, noted, session=session).matched_count < 2:
        raise Refused(Reason.LAST_SUPERADMIN)


def _in_transaction(db: Db, work: Callable[[ClientSession], T]) -> T:
    with db.client.start_session() as session:
        return session.with_transaction(work)
