"""Reading the audit log."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from bson import ObjectId

from crmapp.audit.phrases import PHRASES
from crmapp.csvcells import to_csv
from crmapp.database import Db, Document
from crmapp.paging import Page, find_page
from crmapp.requests import BadInput, day, day_after, text

KEYS = ("q", "person", "what", "address", "from", "to")
COLUMNS = {
    "When": "at",
    "Who": "name",
    "Role": "role",
    "What": "text",
    "To what": "target",
    "Id": "targetId",
    "More": "more",
    "From": "address",
    "Request": "requestId",
}
MOST_PEOPLE = 200
REFUSED = {
    "accounts.login_submit.refused": "Was refused a sign-in",
    "accounts.api_login.refused": "Was refused a sign-in (program)",
}


def list_page(db: Db, values: Mapping[str, Any]) -> tuple[Page, dict[str, str]]:
    """The page that the query string `values` asks for, the newest first, and its filter. Raises BadInput."""
    filter = parse({name: value for name, value in values.items() if name != "page"})
    page = find_page(db.audit, to_query(filter), "at", values)
    return Page([shown(entry) for entry in page.items], page.total, page.capped, page.page), filter


def parse(values: Mapping[str, Any]) -> dict[str, str]:
    """The keys that are set, checked. Raises BadInput, also for a key that does not exist."""
    unknown = sorted(set(values) - set(KEYS))
    if unknown:
        raise BadInput(f"There is no filter {unknown[0][:60]!r}. There are: {', '.join(KEYS)}.")
    filter = {name: value for name in KEYS if (value := text(values, name, most=200))}
    to_query(filter)
    return filter


def to_query(filter: Mapping[str, str]) -> Document:
    """The MongoDB query of a parsed filter. Raises BadInput for a value that no entry can have."""
    query: Document = {}
    if person := filter.get("person"):
        if not ObjectId.is_valid(person):
            raise BadInput("person must be the id of a user.")
        query["by.id"] = ObjectId(person)
    if what := filter.get("what"):
        if what not in deeds():
            raise BadInput("what must be one of what the list of deeds offers.")
        query["what"] = what
    if address := filter.get("address"):
        query["address"] = address
    if filter.get("from"):
        query.setdefault("at", {})["$gte"] = day(filter["from"], "from")
    if filter.get("to"):
        query.setdefault("at", {})["$lt"] = day_after(filter["to"], "to")
    if q := filter.get("q"):
        # Literal text only: a pattern from outside could keep the server busy for ever.
        named = {"$regex": re.escape(q), "$options": "i"}
        query["$or"] = [{"target": named}, {"targetId": q}, {"requestId": q}]
    return query


def deeds() -> dict[str, str]:
    """What can be looked for under "what", and what it is called, by that."""
    told = {**REFUSED, **{what: phrase for what, phrase in PHRASES.items() if phrase}}
    return dict(sorted(told.items(), key=lambda each: each[1].casefold()))


def people(db: Db) -> dict[str, str]:
    """Who is in the log, by id: they may have left since."""
    ids = [user_id for user_id in db.audit.distinct("by.id") if user_id]
    names = {str(user_id): _name(db, user_id) for user_id in ids[:MOST_PEOPLE]}
    return dict(sorted(names.items(), key=lambda each: each[1]))


def _name(db: Db, user_id: ObjectId) -> str:
    last = db.audit.find_one({"by.id": user_id}, {"by": 1}, sort=[("at", -1)])
    return str(last["by"]["name"]) if last else ""


def shown(entry: Document) -> Document:
    """What is told of an entry, to people and programs; `more` are its details in words."""
    names = ("at", "by", "what", "text", "target", "targetId", "details", "address", "requestId")
    told = {name: entry.get(name) for name in names}
    return {"id": entry["_id"], **told, "more": _words(entry.get("details") or {})}


def _words(details: Document) -> str:
    return ", ".join(f"{name}: {_word(value)}" for name, value in details.items())


def _word(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def export(db: Db, values: Mapping[str, Any]) -> Iterator[str]:
    """The entries that the query string `values` lists, as a CSV file in pieces. Raises BadInput, before the first."""
    query = to_query(parse(values))
    return to_csv(list(COLUMNS), map(_line, db.audit.find(query).sort([("at", -1), ("_id", -1)])))


def _line(entry: Document) -> list[Any]:
    by = entry.get("by") or {}
    told = {**shown(entry), "name": by.get("name"), "role": by.get("role")}
    return [told[name] for name in COLUMNS.values()]
