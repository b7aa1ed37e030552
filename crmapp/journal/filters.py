"""Filters of the journal: which entries are meant, by the keys of its query string."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bson import ObjectId

from crmapp.database import Document
from crmapp.journal.fields import Kind
from crmapp.requests import BadInput, day, day_after, text

KEYS = ("q", "kind", "lead", "author", "from", "to")


def parse(values: Mapping[str, Any]) -> dict[str, str]:
    """The keys that are set, checked. Raises BadInput, also for a key that does not exist."""
    unknown = sorted(set(values) - set(KEYS))
    if unknown:
        raise BadInput(f"There is no filter {unknown[0][:60]!r}. There are: {', '.join(KEYS)}.")
    filter = {name: value for name in KEYS if (value := text(values, name, most=200))}
    to_query(filter)
    return filter


def to_query(filter: dict[str, str]) -> Document:
    """The MongoDB query of a parsed filter. Raises BadInput for a value that no entry can have."""
    query: Document = {}
    if filter.get("kind"):
        if filter["kind"] not in list(Kind):
            raise BadInput(f"kind must be one of {', '.join(Kind)}.")
        query["kind"] = filter["kind"]
    if filter.get("lead"):
        query["leadId"] = _id(filter["lead"], "lead", "a lead")
    if filter.get("author"):
        query["authorId"] = _id(filter["author"], "author", "a user")
    if filter.get("from"):
        query.setdefault("at", {})["$gte"] = day(filter["from"], "from")
    if filter.get("to"):
        query.setdefault("at", {})["$lt"] = day_after(filter["to"], "to")
    if filter.get("q"):
        # Literal text only: a pattern from outside could keep the server busy for ever.
        query["text"] = {"$regex": re.escape(filter["q"]), "$options": "i"}
    return query


def _id(value: str, name: str, what: str) -> ObjectId:
    if not ObjectId.is_valid(value):
        raise BadInput(f"{name} must be the id of {what}.")
    return ObjectId(value)
