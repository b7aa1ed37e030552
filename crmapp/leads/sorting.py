"""The orders in which leads are listed, and the place of a lead in one: where the next page begins."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime
from typing import Any

from bson import ObjectId
from pymongo import ASCENDING, DESCENDING

from crmapp.database import Document
from crmapp.requests import BadInput
from crmapp.wire import iso

Order = list[tuple[str, int]]

NEWEST = [("createdAt", DESCENDING), ("_id", DESCENDING)]
# Leads that are alike come newest first. Every order but that by status is that of an index.
ORDERS: dict[str, Order] = {
    "createdAt": [("createdAt", ASCENDING), ("_id", ASCENDING)],
    "name": [("name", ASCENDING), ("_id", ASCENDING)],
    "email": [("email", ASCENDING), ("_id", ASCENDING)],
    "company": [("company", ASCENDING), *NEWEST],
    "source": [("source", ASCENDING), *NEWEST],
    "status": [("status", ASCENDING), *NEWEST],
}
DEFAULT = "-createdAt"


def order_of(wanted: Any) -> Order:
    """The order of that name; with "-" before it, from its end. Raises BadInput."""
    name = str(wanted or DEFAULT)
    order = ORDERS.get(name.removeprefix("-"))
    if order is None:
        raise BadInput(f"sort must be one of {', '.join(ORDERS)}, with - before it for descending.")
    return turned(order) if name.startswith("-") else order


def index_of(order: Order) -> Order | None:
    """The index that has this order, forwards or backwards; None where there is none (see database.py)."""
    name = order[0][0]
    if name == "status":
        return None
    return NEWEST if name == "createdAt" else ORDERS[name]


def turned(order: Order) -> Order:
    return [(name, -direction) for name, direction in order]


def cursor_of(lead: Document, order: Order) -> str:
    """The place of `lead`, for a URL."""
    place = [_told(lead.get(name)) for name, _ in order]
    return urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def _told(value: Any) -> Any:
    if isinstance(value, datetime):
        return {"at": iso(value)}
    if isinstance(value, ObjectId):
        return {"id": str(value)}
    return value if isinstance(value, str) else None


def place_of(cursor: str, order: Order) -> list[Any]:
    """Where a cursor points to. Raises BadInput for one that is none of this order."""
    try:
        told = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        place = [_read(value) for value in told]
        if len(place) != len(order) or not isinstance(place[-1], ObjectId):
            raise ValueError
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise BadInput("This page's address is incomplete: go to the first page.") from None
    return place


def _read(value: Any) -> Any:
    if isinstance(value, dict):
        return (
            ObjectId(value["id"])
            if "id" in value
            else datetime.fromisoformat(value["at"]).astimezone(UTC)
        )
    return str(value) if value is not None else None


def beyond(place: list[Any], order: Order) -> Document:
    """The query of what comes after `place`."""
    branches = []
    same: Document = {}
    for (name, direction), value in zip(order, place, strict=True):
        branches += [{**same, name: past} for past in _past(value, direction)]
        same[name] = value
    return {"$or": branches}


def _past(value: Any, direction: int) -> list[Any]:
    """What comes after `value`. Comparisons stay among values of one type; what is missing comes before all."""
    if value is None:
        return [{"$ne": None}] if direction == ASCENDING else []
    return [{"$gt": value}] if direction == ASCENDING else [{"$lt": value}, None]
