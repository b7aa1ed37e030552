"""Leads: their states, and the pages on which they are listed."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pymongo import ASCENDING, DESCENDING

from crmapp.database import Db
from crmapp.leads import filters
from crmapp.paging import SLOWEST_QUERY_MS, Page
from crmapp.requests import BadInput, number


class LeadStatus(StrEnum):
    NEW = "new"  # nobody has spoken with them
    CONTACTED = "contacted"
    QUALIFIED = "qualified"
    ACTIVATING = "activating"  # held by an activation that is under way
    ACTIVE = "active"  # has become a user
    FAILED = "failed"  # could not be activated; `job_errors` says why


DEFAULT_SORT = "-createdAt"
SORTS = ("createdAt", "name", "email", "company", "status", "source")
PAGE_SIZES = (25, 50, 100, 200)


def list_page(db: Db, values: dict[str, Any]) -> tuple[Page, dict[str, str]]:
    """The page that the query string `values` asks for, and its filter. Raises BadInput."""
    rest = {k: v for k, v in values.items() if k not in ("sort", "page", "pageSize")}
    filter = filters.parse(rest)
    query = filters.to_query(filter)
    wanted = number(values, "page", 1, 1_000_000)
    size = number(values, "pageSize", 50, max(PAGE_SIZES))
    total = db.leads.count_documents(query, maxTimeMS=SLOWEST_QUERY_MS)
    found = db.leads.find(query, max_time_ms=SLOWEST_QUERY_MS).sort(_sort(values.get("sort")))
    return Page(
        list(found.skip((wanted - 1) * size).limit(size)), total, False, wanted, size
    ), filter


def sources(db: Db) -> list[str]:
    """Every source that some lead has."""
    return sorted(filter(None, db.leads.distinct("source")))


def _sort(wanted: Any) -> list[tuple[str, int]]:
    name = str(wanted or DEFAULT_SORT)
    direction = DESCENDING if name.startswith("-") else ASCENDING
    if name.lstrip("-") not in SORTS:
        raise BadInput(f"sort must be one of {', '.join(SORTS)}, with - before it for descending.")
    return [(name.lstrip("-"), direction), ("_id", direction)]
