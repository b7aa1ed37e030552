"""Filters of the lists of jobs, by the keys of their query string, and whose jobs a user sees."""

from __future__ import annotations

from typing import Any

from bson import ObjectId

from crmapp.accounts.users import User
from crmapp.database import Document
from crmapp.jobs import kinds
from crmapp.jobs.jobs import JobStatus
from crmapp.requests import BadInput, day, day_after, text

KEYS = ("type", "status", "user", "from", "to")


def parse(values: dict[str, Any]) -> dict[str, str]:
    """The keys of a filter that are set, checked. Raises BadInput, also for a key that does not exist."""
    unknown = sorted(set(values) - set(KEYS))
    if unknown:
        raise BadInput(f"There is no filter {unknown[0][:60]!r}. There are: {', '.join(KEYS)}.")
    filter = {name: value for name in KEYS if (value := text(values, name, most=200))}
    for name, known in (("type", list(kinds.every())), ("status", list(JobStatus))):
        if name in filter and filter[name] not in known:
            raise BadInput(f"{name} must be one of {', '.join(known)}.")
    if "user" in filter and not ObjectId.is_valid(filter["user"]):
        raise BadInput("user must be the id of a user.")
    for name in ("from", "to"):
        if name in filter:
            day_after(filter[name], name)
    return filter


def to_query(user: User, filter: dict[str, str]) -> Document:
    """The MongoDB query of a parsed filter, among the jobs that `user` may see."""
    query = {name: filter[name] for name in ("type", "status") if name in filter}
    created: Document = {}
    if "from" in filter:
        created["$gte"] = day(filter["from"], "from")
    if "to" in filter:
        created["$lt"] = day_after(filter["to"], "to")
    of_person = {"userId": ObjectId(filter["user"])} if "user" in filter else {}
    return {"$and": [visible_to(user), of_person, {**query, **_if_any("createdAt", created)}]}


def visible_to(user: User) -> Document:
    """The MongoDB query of the jobs that `user` may see."""
    if user.sees_everything:
        return {}
    # An agent who was an administrator once is shown what they began as an agent.
    return {"userId": user.key, **({"within": {"$exists": True}} if user.is_agent else {})}


def _if_any(name: str, conditions: Document) -> Document:
    return {name: conditions} if conditions else {}
