"""Users: who they are, what they may do, and the few writes that change them."""

from __future__ import annotations

import secrets
from datetime import datetime
from enum import StrEnum
from typing import Any

from bson import ObjectId
from flask_login import UserMixin
from pymongo import ReturnDocument

from crmapp.addresses import normalise
from crmapp.clock import now
from crmapp.database import Db, Document


class Role(StrEnum):
    SUPERADMIN = "superadmin"  # sees and does everything
    ADMIN = "admin"  # works with leads, and sees the jobs that are theirs
    AGENT = "agent"  # works with the leads assigned to them
    USER = "user"  # was a lead; has no business in the back office


class UserStatus(StrEnum):
    INVITED = "invited"  # has been sent a link and has no password yet
    ACTIVE = "active"
    DISABLED = "disabled"


BACK_OFFICE = (Role.SUPERADMIN, Role.ADMIN)


class User(UserMixin):
    """A user as the request sees them. `id` is text, as it stands in cookies and tokens; `login` is what lets them
    in: the text of a session (see `sessions`) or of an API token; empty for one who was not asked who they are."""

    def __init__(self, document: Document, login: str = "") -> None:
        self._document = document
        self.login = login
        self.key: ObjectId = document["_id"]
        self.id = str(self.key)
        self.name: str = document["name"]
        self.email: str = document["email"]
        self.role: str = document["role"]
        self.status: str = document["status"]
        self.session_version: int = document.get("sessionVersion", 1)
        self.password_hash: str | None = document.get("passwordHash")

    @property
    def is_active(self) -> bool:
        return self.status == UserStatus.ACTIVE

    @property
    def may_enter_back_office(self) -> bool:
        return self.is_active and self.role in BACK_OFFICE

    @property
    def is_agent(self) -> bool:
        return self.role == Role.AGENT

    @property
    def may_enter(self) -> bool:
        """Whether there is anything for them behind the sign-in; agents reach a part of it (see `rights`)."""
        return self.may_enter_back_office or (self.is_active and self.is_agent)

    @property
    def sees_everything(self) -> bool:
        return self.role == Role.SUPERADMIN

    @property
    def who(self) -> Document:
        """Whose doing something was, as a record keeps it."""
        return {"id": self.key, "name": self.email}

    def get_id(self) -> str:
        return self.login

    def let_in_by(self, login: str) -> User:
        """The same user, with what let them in."""
        return User(self._document, login)

    def public(self) -> Document:
        return {"id": self.id, "name": self.name, "email": self.email, "role": self.role}


def new_user(
    email: str,
    name: str,
    role: Role,
    *,
    user_id: ObjectId | None = None,
    created_at: datetime | None = None,
    **more: Any,
) -> Document:
    """A user's document. `email` is normalised already."""
    return {
        "_id": user_id or ObjectId(),
        "email": email,
        "name": name,
        "role": role,
        "status": UserStatus.INVITED,
        "passwordHash": None,
        "inviteNonce": new_nonce(),
        "sessionVersion": 1,
        "createdAt": created_at or now(),
        "lastSeenAt": None,
        **more,
    }


def new_nonce() -> str:
    return secrets.token_hex(8)


def by_id(db: Db, user_id: str) -> User | None:
    if not ObjectId.is_valid(user_id):
        return None
    document = db.users.find_one({"_id": ObjectId(user_id)})
    return User(document) if document else None


def by_email(db: Db, email: str) -> User | None:
    document = db.users.find_one({"email": email})
    return User(document) if document else None


def save_admin(db: Db, email: str, name: str, password_hash: str) -> User:
    """Create a superadmin, or make the user of this address one, with this password. Ends their sessions.

    Raises InvalidAddress.
    """
    address = normalise(email)
    created = new_user(address, name, Role.SUPERADMIN)
    changes = {
        "role": Role.SUPERADMIN,
        "status": UserStatus.ACTIVE,
        "passwordHash": password_hash,
    }
    fresh = {k: v for k, v in created.items() if k not in {*changes, "email", "sessionVersion"}}
    document = db.users.find_one_and_update(
        {"email": address},
        {
            "$set": changes,
            "$inc": {"sessionVersion": 1},
            "$unset": {"resetNonce": 1},
            "$setOnInsert": fresh,
        },
        upsert=True,
        return_document=ReturnDocument.AFTER,
    )
    assert document is not None
    return User(document)


def begin_reset(db: Db, user_id: ObjectId) -> None:
    """Make the newest link to a new password the only one that counts. Until one is asked for there is none."""
    db.users.update_one({"_id": user_id}, {"$set": {"resetNonce": new_nonce()}})


def replace_password(
    db: Db, user_id: ObjectId, password_hash: str, nonce: str | None = None
) -> User | None:
    """Give an active user another password; where the link of a `nonce` allows it, this uses the link up. None where
    it was used already, or the user may not sign in."""
    allowed = {"_id": user_id, "status": UserStatus.ACTIVE}
    document = db.users.find_one_and_update(
        {**allowed, "resetNonce": nonce} if nonce else allowed,
        {"$set": {"passwordHash": password_hash}, "$unset": {"resetNonce": 1}},
        return_document=ReturnDocument.AFTER,
    )
    return User(document) if document else None


def choose_password(db: Db, user_id: ObjectId, nonce: str, password_hash: str) -> User | None:
    """Set the first password under the invitation's `nonce`, which this uses up. None where it was used already."""
    time = now()
    document = db.users.find_one_and_update(
        {"_id": user_id, "inviteNonce": nonce, "status": UserStatus.INVITED},
        {
            "$set": {
                "passwordHash": password_hash,
                "status": UserStatus.ACTIVE,
                "inviteNonce": new_nonce(),
                # Whoever has chosen a password is signed in with it.
                "firstSignInAt": time,
                "lastSeenAt": time,
            },
            "$inc": {"sessionVersion": 1},
        },
        return_document=ReturnDocument.AFTER,
    )
    return User(document) if document else None
