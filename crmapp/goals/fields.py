"""What a goal holds, and how it is read from a form or a JSON object."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bson import ObjectId

from crmapp.accounts import staff
from crmapp.accounts.users import User
from crmapp.database import Db, Document
from crmapp.forms import BadFields, amount, lines, needed, read_each
from crmapp.requests import BadInput, day, text

FIELDS = ("userId", "title", "target", "unit", "progress", "from", "to", "notes", "updatedAt")
LONGEST_TITLE = 200
LONGEST_UNIT = 40
LONGEST_NOTES = 5000
GREATEST = 1_000_000_000
EARLIEST_YEAR = 1970


def read(db: Db, user: User, values: Mapping[str, Any], known_person: Any = None) -> Document:
    """The fields of a goal that `user` sets, checked. The person `known_person` is taken even where they have left.
    Raises BadFields."""
    goal = read_each(
        {
            "userId": lambda: _person(db, user, text(values, "userId", most=24), known_person),
            "title": lambda: needed(text(values, "title", LONGEST_TITLE), "Give it a title."),
            "target": lambda: _target(values),
            "unit": lambda: text(values, "unit", LONGEST_UNIT),
            "progress": lambda: amount(values, "progress", GREATEST) if _is_set(values) else 0,
            "from": lambda: _day(values, "from"),
            "to": lambda: _day(values, "to"),
            "notes": lambda: lines(values, "notes", LONGEST_NOTES),
        }
    )
    if goal["to"] < goal["from"]:
        raise BadFields({"to": "The period ends before it begins."})
    return goal


def _person(db: Db, user: User, user_id: str, known: Any) -> ObjectId:
    if not ObjectId.is_valid(user_id):
        raise BadInput("Choose the person whose goal this is.")
    wanted = ObjectId(user_id)
    if user.is_agent and wanted != user.key:
        raise BadInput("You set goals for yourself. For others, ask an administrator.")
    if wanted != known and staff.find(db, wanted) is None:
        raise BadInput("This person does not work here any more. Choose another one.")
    return wanted


def _target(values: Mapping[str, Any]) -> float:
    target = amount(values, "target", GREATEST)
    if not target:
        raise BadInput("The target must be more than 0.")
    return target


def _is_set(values: Mapping[str, Any]) -> bool:
    return values.get("progress") not in (None, "")


def _day(values: Mapping[str, Any], name: str) -> datetime:
    wanted = day(text(values, name, most=20), name)
    if wanted.year < EARLIEST_YEAR:
        raise BadInput(f"{name} is too long ago.")
    return wanted
