"""Filters: which leads are meant, by the keys of `GET /crm/leads`."""

from __future__ import annotations

import re
from typing import Any

from bson import ObjectId

from crmapp.database import Document
from crmapp.requests import BadInput, day, day_after, text

KEYS = ("status", "q", "source", "agent", "from", "to")
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
    """The MongoDB query of a parsed filter. Raises BadInput for an id or a date that is none."""
    query: Document = {}
    for name in ("status", "source"):
        if filter.get(name):
            query[name] = filter[name]
    if filter.get("agent"):
        query["agentId"] = _id(filter["agent"])
    if filter.get("from"):
        query.setdefault("createdAt", {})["$gte"] = day(filter["from"], "from")
    if filter.get("to"):
        query.setdefault("createdAt", {})["$lt"] = day_after(filter["to"], "to")
    if filter.get("q"):
        # Literal text only: a pattern from outside could keep the server busy for ever.
        found = {"$regex": re.escape(filter["q"]), "$options": "i"}
        query["$or"] = [{name: found} for name in SEARCHED]
    return query


def _id(value: str) -> ObjectId:
    if not ObjectId.is_valid(value):
        raise BadInput("agent must be the id of a user.")
    return ObjectId(value)
