"""Filters of the list of people, by the keys of its query string."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from crmapp.accounts import staff
from crmapp.accounts.users import Role, UserStatus
from crmapp.database import Document
from crmapp.requests import BadInput, text

STAFF = "staff"  # everybody but those who were leads and have no business here
ONLINE: dict[str, Any] = {"yes": True, "no": {"$ne": True}}
CHOICES = {"role": (STAFF, *Role), "status": tuple(UserStatus), "online": tuple(ONLINE)}
KEYS = ("q", *CHOICES)


def parse(values: Mapping[str, Any]) -> dict[str, str]:
    """The keys of a filter that are set, checked. Raises BadInput, also for a key that does not exist."""
    unknown = sorted(set(values) - set(KEYS))
    if unknown:
        raise BadInput(f"There is no filter {unknown[0][:60]!r}. There are: {', '.join(KEYS)}.")
    filter = {name: value for name in KEYS if (value := text(values, name, most=200))}
    for name, choices in CHOICES.items():
        if name in filter and filter[name] not in choices:
            raise BadInput(f"{name} must be one of {', '.join(choices)}.")
    return filter


def to_query(filter: dict[str, str]) -> Document:
    """The MongoDB query of a parsed filter."""
    query: Document = {}
    if "role" in filter:
        query |= staff.STAFF if filter["role"] == STAFF else {"role": filter["role"]}
    if "status" in filter:
        query["status"] = filter["status"]
    if "online" in filter:
        query["online"] = ONLINE[filter["online"]]
    if "q" in filter:
        # Literal text only: a pattern from outside could keep the server busy for ever.
        found = {"$regex": re.escape(filter["q"]), "$options": "i"}
        query["$or"] = [{"name": found}, {"email": found}]
    return query
