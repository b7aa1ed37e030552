"""Filters of the goals: which are meant, by the keys of their query string."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from bson import ObjectId

from crmapp.clock import now
from crmapp.database import Document
from crmapp.requests import BadInput, text


class State(StrEnum):
    """How a goal stands today."""

    OPEN = "open"
    REACHED = "reached"
    OVER = "over"  # its last day has passed and it was not reached


KEYS = ("q", "person", "state")
REACHED: Document = {"$expr": {"$gte": ["$progress", "$target"]}}
NOT_REACHED: Document = {"$expr": {"$lt": ["$progress", "$target"]}}


def parse(values: Mapping[str, Any]) -> dict[str, str]:
    """The keys that are set, checked. Raises BadInput, also for a key that does not exist."""
    unknown = sorted(set(values) - set(KEYS))
    if unknown:
        raise BadInput(f"There is no filter {unknown[0][:60]!r}. There are: {', '.join(KEYS)}.")
    filter = {name: value for name in KEYS if (value := text(values, name, most=200))}
    to_query(filter)
    return filter


def to_query(filter: dict[str, str]) -> Document:
    """The MongoDB query of a parsed filter. Raises BadInput for a value that no goal can have."""
    query: Document = {}
    if filter.get("person"):
        if not ObjectId.is_valid(filter["person"]):
            raise BadInput("person must be the id of a user.")
        query["userId"] = ObjectId(filter["person"])
    if filter.get("state"):
        query |= _of_state(filter["state"])
    if filter.get("q"):
        # Literal text only: a pattern from outside could keep the server busy for ever.
        found = {"$regex": re.escape(filter["q"]), "$options": "i"}
        query["$or"] = [{name: found} for name in ("title", "notes")]
    return query


def _of_state(state: str) -> Document:
    if state == State.REACHED:
        return REACHED
    if state == State.OPEN:
        return {"to": {"$gte": today()}, **NOT_REACHED}
    if state == State.OVER:
        return {"to": {"$lt": today()}, **NOT_REACHED}
    raise BadInput(f"state must be one of {', '.join(State)}.")


def today() -> datetime:
    """The beginning of this day in UTC."""
    return now().replace(hour=0, minute=0, second=0, microsecond=0)
