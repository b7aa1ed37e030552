"""Goals: how they stand, and the few writes that change them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from bson import ObjectId

from crmapp import versions
from crmapp.accounts import rights, staff
from crmapp.accounts.users import User
from crmapp.clock import now
from crmapp.database import Db, Document
from crmapp.goals import fields, filters
from crmapp.goals.filters import State
from crmapp.paging import Page, find_page
from crmapp.wire import iso

AS_STORED = ("userId", "title", "target", "unit", "progress", "notes")


def list_page(db: Db, user: User, values: Mapping[str, Any]) -> tuple[Page, dict[str, str]]:
    """The page that the query string `values` asks for among the goals that `user` may see, the newest first, and its
    filter. Raises BadInput."""
    filter = filters.parse({name: value for name, value in values.items() if name != "page"})
    query = rights.within(rights.written_by(user), filters.to_query(filter))
    page = find_page(db.goals, query, "_id", values)
    names = _names(db, [goal.get("userId") for goal in page.items])
    return replace(page, items=[_shown(goal, names) for goal in page.items]), filter


def find(db: Db, user: User, goal_id: str) -> Document | None:
    """The goal of this id, as it is shown, if `user` may see it."""
    if not ObjectId.is_valid(goal_id):
        return None
    goal = db.goals.find_one({"_id": ObjectId(goal_id), **rights.written_by(user)})
    return _shown(goal, _names(db, [goal.get("userId")])) if goal else None


def _names(db: Db, user_ids: list[Any]) -> dict[Any, str]:
    ids = [user_id for user_id in user_ids if isinstance(user_id, ObjectId)]
    found = db.users.find({"_id": {"$in": ids}}, {"name": 1, "email": 1})
    return {person["_id"]: staff.name_of(person) for person in found}


def _shown(goal: Document, names: dict[Any, str]) -> Document:
    """The days as texts, and how the goal stands. Whatever wrote the goal, it can be shown."""
    user_id = goal.get("userId")
    return {
        "id": goal["_id"],
        **{name: goal.get(name) for name in AS_STORED},
        "userName": names.get(user_id) if isinstance(user_id, ObjectId) else None,
        **{name: _day(goal.get(name)) for name in ("from", "to")},
        "percentage": _percentage(goal),
        "state": _state(goal),
        "createdBy": goal.get("createdBy"),
        **{name: _time(goal.get(name)) for name in ("createdAt", "updatedAt")},
    }


def _day(value: Any) -> str:
    return value.date().isoformat() if isinstance(value, datetime) else ""


def _time(value: Any) -> datetime | None:
    return value if isinstance(value, datetime) else None


def _percentage(goal: Document) -> int:
    """Whole percents, and 100 only for what is reached."""
    progress, target = goal.get("progress"), goal.get("target")
    if not isinstance(progress, int | float) or not isinstance(target, int | float) or target <= 0:
        return 0
    if not math.isfinite(progress) or not math.isfinite(target):
        return 0
    return 100 if progress >= target else max(0, min(99, int(100 * progress / target)))


def _state(goal: Document) -> State:
    if _percentage(goal) == 100:
        return State.REACHED
    last = goal.get("to")
    return State.OVER if isinstance(last, datetime) and last < filters.today() else State.OPEN


def number_text(value: Any) -> str:
    """A number with its thousands apart; a question mark for what is none."""
    return f"{value:,}" if isinstance(value, int | float) else "?"


def day_text(day: str) -> str:
    """A day of a shown goal, like "31 Jan 2026"."""
    return date.fromisoformat(day).strftime("%-d %b %Y")


def add(db: Db, values: Mapping[str, Any], creator: User) -> Document:
    """A new goal. Raises BadFields."""
    time = now()
    goal = {**fields.read(db, creator, values), "createdAt": time, "updatedAt": time}
    goal["createdBy"] = creator.who
    db.goals.insert_one(goal)
    return _shown(goal, _names(db, [goal["userId"]]))


def change(db: Db, user: User, goal: Document, values: Mapping[str, Any]) -> Document:
    """Have `user` change the fields of `goal` (from `find`) that are among `values`. An `updatedAt` among them is that
    of the version that they were made for. Raises BadInput, BadFields and versions.Changed."""
    version = versions.seen(values)
    checked = fields.read(db, user, {**as_typed(goal), **values}, goal["userId"])
    # Only what was sent, so that two who change different fields at once both keep their change.
    changes = {field: value for field, value in checked.items() if field in values}
    changed = versions.save(db.goals, goal["id"], changes, version)
    return _shown(changed, _names(db, [changed["userId"]]))


def as_typed(goal: Document) -> dict[str, Any]:
    """The fields of a goal as a form holds them."""
    return {
        **{name: goal[name] for name in (*AS_STORED, "from", "to")},
        "userId": str(goal["userId"]),
        "updatedAt": iso(goal["updatedAt"]) if goal["updatedAt"] else "",
    }


def remove(db: Db, goal: Document) -> None:
    """Delete `goal`, also where somebody else has done so meanwhile."""
    db.goals.delete_one({"_id": goal["id"]})
