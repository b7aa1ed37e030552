"""Lists that are shown in pages."""

from __future__ import annotations

from collections.abc import Collection as Names
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import request
from pymongo.collection import Collection

from crmapp.database import Document
from crmapp.requests import number

PAGE_SIZE = 50
SLOWEST_QUERY_MS = 5000
# Counting further would take longer than it is worth.
COUNTED_UP_TO = 10_000


@dataclass(frozen=True)
class Page:
    items: list[Document]
    total: int
    capped: bool  # there are more than `total`
    page: int
    page_size: int = PAGE_SIZE

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // self.page_size))

    def to_dict(self) -> Document:
        """What a program is told."""
        return {
            "items": self.items,
            "total": self.total,
            "capped": self.capped,
            "page": self.page,
            "pages": self.pages,
        }


def find_page(
    collection: Collection[Document], query: Document, newest: str, values: Mapping[str, Any]
) -> Page:
    """The page of what matches that `values` asks for under "page", the greatest `newest` first. Raises BadInput,
    and pymongo's ExecutionTimeout where the search takes too long."""
    wanted = number(values, "page", 1, COUNTED_UP_TO // PAGE_SIZE)
    total = collection.count_documents(query, limit=COUNTED_UP_TO + 1, maxTimeMS=SLOWEST_QUERY_MS)
    found = collection.find(query).sort({newest: -1, "_id": -1}).max_time_ms(SLOWEST_QUERY_MS)
    items = list(found.skip((wanted - 1) * PAGE_SIZE).limit(PAGE_SIZE))
    return Page(items, min(total, COUNTED_UP_TO), total > COUNTED_UP_TO, wanted)


def kept_query(names: Names[str]) -> dict[str, Any]:
    """The page and the filters `names` that the request's query string holds: where a form leads back to."""
    wanted = (*names, "page")
    return {name: request.args[name] for name in wanted if request.args.get(name)}
