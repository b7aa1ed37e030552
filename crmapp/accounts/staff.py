"""The people who work with leads, as lists offer them."""

from __future__ import annotations

from bson import ObjectId

from crmapp.accounts.users import Role, User
from crmapp.database import Db, Document

STAFF: Document = {"role": {"$in": [Role.SUPERADMIN, Role.ADMIN, Role.AGENT]}}
MOST = 1000


def everyone(db: Db) -> list[Document]:
    """{_id, name, email, role, status} of each, by name; also of those who may no longer sign in."""
    shown = {"name": 1, "email": 1, "role": 1, "status": 1}
    people = db.users.find(STAFF, shown).sort("name", 1).limit(MOST)
    return sorted(people, key=lambda person: name_of(person).casefold())


def known_to(db: Db, user: User) -> list[Document]:
    """Those whom `user` may choose among: an agent themself only."""
    return [person for person in everyone(db) if not user.is_agent or person["_id"] == user.key]


def find(db: Db, user_id: ObjectId) -> Document | None:
    return db.users.find_one({"_id": user_id, **STAFF}, {"name": 1, "email": 1, "status": 1})


def name_of(person: Document) -> str:
    return str(person.get("name") or person["email"])


def names(people: list[Document]) -> dict[str, str]:
    """What each of `people` is called, by their id as text."""
    return {str(person["_id"]): name_of(person) for person in people}
