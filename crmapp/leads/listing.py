"""The list of leads in pages, quick also with a million of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pymongo import ASCENDING
from pymongo.cursor import Cursor

from crmapp.accounts import rights, staff
from crmapp.accounts.users import User
from crmapp.database import Db, Document
from crmapp.leads import filters, sorting
from crmapp.leads.sorting import Order
from crmapp.paging import COUNTED_UP_TO, SLOWEST_QUERY_MS
from crmapp.requests import BadInput, number, text

PAGE_SIZE = 50
PAGE_SIZES = (25, 50, 100, 200)
PLACES = ("after", "before", "last")
KEYS = ("sort", "page", "pageSize", *PLACES)
NOT_LISTED = {"words": 0}
MOST_SUGGESTED = 10


@dataclass(frozen=True)
class LeadsPage:
    """One page of leads. `page` is None where its number is not known, `next` and `prev` where there is no such page.
    Both are places in the list, so that what is added meanwhile moves nothing."""

    items: list[Document]
    total: int
    capped: bool  # there are more than `total`
    page: int | None
    page_size: int
    sort: str
    next: str | None
    prev: str | None

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // self.page_size))

    @property
    def first(self) -> int | None:
        """The number of the first row, where it is known."""
        return None if self.page is None else (self.page - 1) * self.page_size + 1

    def to_dict(self) -> Document:
        """What a program is told."""
        names = ("items", "total", "capped", "page", "pages", "next", "prev")
        return {name: getattr(self, name) for name in names}


def list_page(db: Db, user: User, values: Mapping[str, Any]) -> tuple[LeadsPage, dict[str, str]]:
    """The page that the query string `values` asks for among the leads of `user`, and its filter. Raises BadInput, and
    pymongo's ExecutionTimeout where the search takes too long."""
    filter = filters.parse({k: v for k, v in values.items() if k not in KEYS})
    query = rights.within(rights.leads_of(user), filters.to_query(filter))
    sort = str(values.get("sort") or sorting.DEFAULT)
    order = sorting.order_of(sort)
    size = number(values, "pageSize", PAGE_SIZE, max(PAGE_SIZES))
    place = _place(values)
    wanted = number(values, "page", 1, COUNTED_UP_TO // size)
    query, counted = _counted(db, query)
    total, capped = min(counted, COUNTED_UP_TO), counted > COUNTED_UP_TO
    search = _Search(db, query, order, capped)
    if place:
        items, more = search.at(*place, size)
    else:
        items, more = search.numbered(wanted, size)
    next, prev = _places(items, more, place[0] if place else wanted, order)
    page = None if place else wanted
    return LeadsPage(items, total, capped, page, size, sort, next, prev), filter


def _places(
    items: list[Document], more: bool, came: str | int, order: Order
) -> tuple[str | None, str | None]:
    """Where the next page begins and the previous one ends. `more` is in the direction in which one `came`: by one of
    PLACES, or by the number of the page."""
    backwards = came in ("before", "last")
    has_next = came != "last" if backwards else more
    has_prev = more if backwards else came != 1
    return (
        sorting.cursor_of(items[-1], order) if items and has_next else None,
        sorting.cursor_of(items[0], order) if items and has_prev else None,
    )


def _place(values: Mapping[str, Any]) -> tuple[str, str] | None:
    given = [(name, text(values, name, most=2000)) for name in PLACES if values.get(name)]
    if len(given) > 1 or (given and values.get("page")):
        raise BadInput("Send only one of page, after, before and last.")
    return given[0] if given else None


# No index of `leads` holds these (see database.py).
UNINDEXED = {"status", "userId", "activatedAt"}


def _counted(db: Db, query: Document) -> tuple[Document, int]:
    """A query for the same leads, and how many there are, as far as is counted. Where all leads have to be looked
    through, it is done once: what was found is then asked for by its ids."""
    most = COUNTED_UP_TO + 1
    if not query or query.keys() - UNINDEXED:
        return query, db.leads.count_documents(query, limit=most, maxTimeMS=SLOWEST_QUERY_MS)
    everywhere = db.leads.find(query, {"_id": 1}, hint=[("$natural", ASCENDING)], limit=most)
    ids = [lead["_id"] for lead in everywhere.max_time_ms(SLOWEST_QUERY_MS)]
    return query if len(ids) == most else {"_id": {"$in": ids}}, len(ids)


class _Search:
    """What matches `query`, in an order; `many` says that more do than are counted."""

    def __init__(self, db: Db, query: Document, order: Order, many: bool) -> None:
        self._db = db
        self._query = query
        self._order = order
        self._hint = _way(query, order, many)

    def numbered(self, page: int, size: int) -> tuple[list[Document], bool]:
        """The page of that number, and whether there is one after it."""
        found = self._find(self._query, self._order).skip((page - 1) * size).limit(size + 1)
        return _cut(list(found), size)

    def at(self, way: str, cursor: str, size: int) -> tuple[list[Document], bool]:
        """The page after, or before, a place, or the last one; and whether there is more in that direction."""
        if way == "after":
            query, order = self._beyond(cursor, self._order), self._order
        else:
            order = sorting.turned(self._order)
            query = self._query if way == "last" else self._beyond(cursor, order)
        items, more = _cut(list(self._find(query, order).limit(size + 1)), size)
        return (items if way == "after" else items[::-1]), more

    def _beyond(self, cursor: str, order: Order) -> Document:
        beyond = sorting.beyond(sorting.place_of(cursor, order), order)
        return {"$and": [self._query, beyond]} if self._query else beyond

    def _find(self, query: Document, order: Order) -> Cursor[Document]:
        found = self._db.leads.find(query, NOT_LISTED).sort(order).max_time_ms(SLOWEST_QUERY_MS)
        return found.hint(self._hint) if self._hint else found


def _way(query: Document, order: Order, many: bool) -> Order | None:
    """How to look for it, where MongoDB would choose badly."""
    if "_id" in query:
        return [("_id", ASCENDING)]
    if many and "$or" in query:
        # Words that many leads have: a page is full before long in any order.
        return sorting.index_of(order)
    return None


def _cut(items: list[Document], size: int) -> tuple[list[Document], bool]:
    return items[:size], len(items) > size


def choices(db: Db, user: User) -> Document:
    """What the filters offer: every source and tag that a lead of `user` has, (id, name) of who works with leads."""
    return {
        "sources": _every(db, user, "source"),
        "tags": _every(db, user, "tags"),
        "agents": list(staff.names(staff.known_to(db, user)).items()),
    }


def _every(db: Db, user: User, field: str) -> list[str]:
    values = db.leads.distinct(field, rights.leads_of(user), maxTimeMS=SLOWEST_QUERY_MS)
    return sorted((value for value in values if value and isinstance(value, str)), key=str.casefold)


def companies(db: Db, user: User, values: Mapping[str, Any]) -> list[str]:
    """Up to ten companies of leads of `user` that begin with the "q" of `values`, as it is written. Raises BadInput."""
    q = text(values, "q", most=200)
    if not q:
        return []
    named = {**rights.leads_of(user), "company": {"$regex": f"^{re.escape(q)}"}}
    found = db.leads.aggregate(
        [{"$match": named}, {"$group": {"_id": "$company"}}, {"$limit": MOST_SUGGESTED}],
        maxTimeMS=SLOWEST_QUERY_MS,
    )
    return sorted(each["_id"] for each in found)
