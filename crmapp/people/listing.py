"""The list of people in pages, and what is shown of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pymongo import ASCENDING, DESCENDING

from crmapp.accounts import rights
from crmapp.accounts.users import User
from crmapp.database import Db, Document
from crmapp.paging import COUNTED_UP_TO, SLOWEST_QUERY_MS, Page
from crmapp.people import filters
from crmapp.requests import BadInput, number

PAGE_SIZE = 50
PAGE_SIZES = (25, 50, 100, 200)
KEYS = ("sort", "page", "pageSize")
# By role, those who work here come before those who were leads.
DEFAULT = "role"
SORTS = ("role", "name", "email", "status", "lastSeenAt", "createdAt")
STORED = ("name", "email", "role", "status", "createdAt", "lastSeenAt")


def list_page(db: Db, actor: User, values: Mapping[str, Any]) -> tuple[Page, dict[str, str], str]:
    """The page that the query string `values` asks for, as `actor` sees it, with its filter and its order. Raises
    BadInput, and pymongo's ExecutionTimeout where the search takes too long."""
    filter = filters.parse({name: value for name, value in values.items() if name not in KEYS})
    sort = str(values.get("sort") or DEFAULT)
    order = _order(sort)
    size = number(values, "pageSize", PAGE_SIZE, max(PAGE_SIZES))
    wanted = number(values, "page", 1, COUNTED_UP_TO // size)
    query, counted = _counted(db, filters.to_query(filter))
    shown = dict.fromkeys((*STORED, "online"), 1)
    found = db.users.find(query, shown).sort(order).max_time_ms(SLOWEST_QUERY_MS)
    items = [public(user, actor) for user in found.skip((wanted - 1) * size).limit(size)]
    total, capped = min(counted, COUNTED_UP_TO), counted > COUNTED_UP_TO
    return Page(items, total, capped, wanted, size), filter, sort


def _order(sort: str) -> list[tuple[str, int]]:
    """People who are alike come by name. Few of these have an index, because each would slow down activations;
    MongoDB keeps no more than a page while it looks through the others."""
    name = sort.removeprefix("-")
    if name not in SORTS:
        raise BadInput(f"sort must be one of {', '.join(SORTS)}, with - before it for descending.")
    direction = DESCENDING if sort.startswith("-") else ASCENDING
    if name == "email":
        return [("email", direction)]
    alike = [(other, ASCENDING) for other in ("name", "_id") if other != name]
    return [(name, direction), *alike]


def _counted(db: Db, query: Document) -> tuple[Document, int]:
    """A query for the same people, and how many there are, as far as is counted. What no index finds is looked for
    once: it is then asked for by its ids."""
    most = COUNTED_UP_TO + 1
    if not query:
        return query, db.users.count_documents(query, limit=most, maxTimeMS=SLOWEST_QUERY_MS)
    found = db.users.find(query, {"_id": 1}).limit(most).max_time_ms(SLOWEST_QUERY_MS)
    ids = [user["_id"] for user in found]
    return query if len(ids) == most else {"_id": {"$in": ids}}, len(ids)


def public(user: Document, actor: User) -> Document:
    """What is shown of a user to `actor`: `mayChange` says whether the actor may change them."""
    you = user["_id"] == actor.key
    return {
        "id": user["_id"],
        **{name: user.get(name) for name in STORED},
        "online": user.get("online") is True,
        "you": you,
        "mayChange": not you and rights.may_manage(actor, str(user.get("role"))),
    }
