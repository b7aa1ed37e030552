"""The documents that syncs have made: searching them, and how many there are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bson import ObjectId

from crmapp.accounts import staff
from crmapp.database import Db, Document
from crmapp.paging import COUNTED_UP_TO, PAGE_SIZE, SLOWEST_QUERY_MS, Page
from crmapp.requests import BadInput, day, day_after, number, text
from crmapp.sync import sources

KEYS = ("q", "type", "owner", "from", "to")
SHOWN = ("type", "sourceId", "title", "text", "metadata", "ownerId", "date", "syncedAt")
LONGEST_EXCERPT = 500
WORDS = re.compile(r'"([^"]+)"|([^\s"]+)')


def search(db: Db, values: Mapping[str, Any]) -> tuple[Page, dict[str, str]]:
    """The page that the query string `values` asks for, and its filter: what fits `q` best comes first; without
    `q`, the newest. An item is what SHOWN names, with `id`, `ownerName`, and of its text no more than an excerpt.
    Raises BadInput, and pymongo's ExecutionTimeout where the search takes too long."""
    filter = parse({name: value for name, value in values.items() if name != "page"})
    wanted = number(values, "page", 1, COUNTED_UP_TO // PAGE_SIZE)
    query = to_query(db, filter)
    total = db.documents.count_documents(query, limit=COUNTED_UP_TO + 1, maxTimeMS=SLOWEST_QUERY_MS)
    found = db.documents.aggregate(
        [
            {"$match": query},
            {"$sort": _order(query)},
            {"$skip": (wanted - 1) * PAGE_SIZE},
            {"$limit": PAGE_SIZE},
            {"$project": {**dict.fromkeys(SHOWN, 1), "text": _EXCERPT}},
        ],
        maxTimeMS=SLOWEST_QUERY_MS,
    )
    items = _with_owners(db, list(found))
    return Page(items, min(total, COUNTED_UP_TO), total > COUNTED_UP_TO, wanted), filter


def parse(values: Mapping[str, Any]) -> dict[str, str]:
    """The keys of a filter that are set, checked. Raises BadInput, also for a key that does not exist."""
    unknown = sorted(set(values) - set(KEYS))
    if unknown:
        raise BadInput(f"There is no filter {unknown[0][:60]!r}. There are: {', '.join(KEYS)}.")
    filter = {name: value for name in KEYS if (value := text(values, name, most=200))}
    if "type" in filter and filter["type"] not in sources.every():
        raise BadInput(f"type must be one of {', '.join(sources.every())}.")
    if "owner" in filter and not ObjectId.is_valid(filter["owner"]):
        raise BadInput("owner must be the id of a user.")
    for name in ("from", "to"):
        if name in filter:
            day_after(filter[name], name)
    return filter


def to_query(db: Db, filter: dict[str, str]) -> Document:
    """The MongoDB query of a parsed filter."""
    # Told all types, MongoDB finds the newest of each by the index that begins with the type.
    query: Document = {"type": filter.get("type") or {"$in": db.documents.distinct("type")}}
    if "q" in filter:
        query["$text"] = {"$search": _words(filter["q"])}
    if "owner" in filter:
        query["ownerId"] = ObjectId(filter["owner"])
    if "from" in filter:
        query.setdefault("date", {})["$gte"] = day(filter["from"], "from")
    if "to" in filter:
        query.setdefault("date", {})["$lt"] = day_after(filter["to"], "to")
    return query


def _words(q: str) -> str:
    """All words must be there. Within quotes nothing has a meaning of its own, such as a minus before a word."""
    return " ".join(f'"{phrase or word}"' for phrase, word in WORDS.findall(q.replace("\\", " ")))


def _order(query: Document) -> Document:
    newest = {"date": -1, "_id": -1}
    return {"score": {"$meta": "textScore"}, **newest} if "$text" in query else newest


_EXCERPT = {"$substrCP": ["$text", 0, LONGEST_EXCERPT]}


def _with_owners(db: Db, found: list[Document]) -> list[Document]:
    ids = [document["ownerId"] for document in found]
    people = db.users.find({"_id": {"$in": ids}}, {"name": 1, "email": 1})
    names = {person["_id"]: staff.name_of(person) for person in people}
    return [
        {
            "id": document["_id"],
            **{name: document[name] for name in SHOWN},
            "ownerName": names.get(document["ownerId"]),
        }
        for document in found
    ]


def counts_by_type(db: Db) -> dict[str, int]:
    """How many documents there are of each source."""
    return {
        type: db.documents.count_documents({"type": type}, maxTimeMS=SLOWEST_QUERY_MS)
        for type in sources.every()
    }


def owners(db: Db) -> list[Document]:
    """{_id, name, email} of everybody who owns a document, by name."""
    ids = [each for each in db.documents.distinct("ownerId") if each is not None]
    people = db.users.find({"_id": {"$in": ids}}, {"name": 1, "email": 1})
    return sorted(people, key=lambda person: staff.name_of(person).casefold())
