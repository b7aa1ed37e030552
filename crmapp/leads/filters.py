"""Filters: which leads are meant, by the keys of `GET /crm/leads`."""

from __future__ import annotations

import re
from typing import Any

from bson import ObjectId

from crmapp.database import Document
from crmapp.leads import words
from crmapp.requests import BadInput, day, day_after, text

KEYS = (
    *("status", "q", "source", "agent", "company", "tag", "from", "to"),
    *("activatedFrom", "activatedTo", "account"),
)
EXACT = {"status": "status", "source": "source", "company": "company", "tag": "tags"}
DAYS = {
    "from": ("createdAt", "$gte"),
    "to": ("createdAt", "$lt"),
    "activatedFrom": ("activatedAt", "$gte"),
    "activatedTo": ("activatedAt", "$lt"),
}
NOBODY = "none"
ACCOUNT: dict[str, Any] = {"yes": {"$ne": None}, "no": None}
SEARCHED = ("name", "email", "phone", "company")


def parse(values: dict[str, Any]) -> dict[str, str]:
    """The keys that are set, checked. Raises BadInput, also for a key that does not exist."""
    unknown = sorted(set(values) - set(KEYS))
    if unknown:
        raise BadInput(f"There is no filter {unknown[0][:60]!r}. There are: {', '.join(KEYS)}.")
    filter = {name: text(values, name, most=200) for name in KEYS}
    to_query(filter)
    return {name: value for name, value in filter.items() if value}


def to_query(filter: dict[str, str]) -> Document:
    """The MongoDB query of a parsed filter. Raises BadInput for an id, a date or a choice that is none."""
    set = {name: value for name, value in filter.items() if value}
    query: Document = {field: set[name] for name, field in EXACT.items() if name in set}
    if "agent" in set:
        query["agentId"] = None if set["agent"] == NOBODY else _id(set["agent"])
    if "account" in set:
        if set["account"] not in ACCOUNT:
            raise BadInput("account must be yes or no.")
        query["userId"] = ACCOUNT[set["account"]]
    for name, (field, operator) in DAYS.items():
        if name in set:
            edge = day(set[name], name) if operator == "$gte" else day_after(set[name], name)
            query.setdefault(field, {})[operator] = edge
    if "q" in set:
        query["$or"] = _found_by(words.asked(set["q"]))
    return query


def _found_by(asked: list[str]) -> list[Document]:
    """Of literal text only: a pattern from outside could keep the server busy for ever."""
    if not asked:
        return [{"_id": {"$in": []}}]
    kept = {"$and": [{"words": {"$regex": f"^{re.escape(word)}"}} for word in asked]}
    # A lead that another program has written has no words until they are added.
    looked_up = {"words": None, "$and": [_in_any_field(word) for word in asked]}
    return [kept, looked_up]


def _in_any_field(word: str) -> Document:
    found = {"$regex": re.escape(word), "$options": "i"}
    return {"$or": [{name: found} for name in SEARCHED]}


def _id(value: str) -> ObjectId:
    if not ObjectId.is_valid(value):
        raise BadInput("agent must be the id of a user, or none.")
    return ObjectId(value)
