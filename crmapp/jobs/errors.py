"""The items of a job that were skipped or failed, and why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pymongo.cursor import Cursor

from crmapp.database import Db, Document
from crmapp.jobs import kinds
from crmapp.jobs.jobs import ItemState
from crmapp.paging import PAGE_SIZE, SLOWEST_QUERY_MS, Page
from crmapp.requests import BadInput, number, text

KEYS = ("state", "reason")


def parse(values: dict[str, Any]) -> dict[str, str]:
    """The keys of a filter that are set, checked. Raises BadInput, also for a key that does not exist."""
    unknown = sorted(set(values) - set(KEYS))
    if unknown:
        raise BadInput(f"There is no filter {unknown[0][:60]!r}. There are: {', '.join(KEYS)}.")
    filter = {name: value for name in KEYS if (value := text(values, name, most=100))}
    if filter.get("state", ItemState.FAILED) not in list(ItemState):
        raise BadInput(f"state must be one of {', '.join(ItemState)}.")
    return filter


def list_page(db: Db, job: Document, values: dict[str, Any]) -> tuple[Page, list[Document]]:
    """The page that the query string `values` asks for, and the groups of all that there are. Raises BadInput."""
    filter = parse({name: value for name, value in values.items() if name != "page"})
    wanted = number(values, "page", 1, 1_000_000)
    all_groups = groups(db, job)
    total = sum(group["count"] for group in all_groups if filter.items() <= group.items())
    found = _find(db, job, filter).max_time_ms(SLOWEST_QUERY_MS)
    rows = found.skip((wanted - 1) * PAGE_SIZE).limit(PAGE_SIZE)
    return Page(list(_shown(job, rows)), total, False, wanted), all_groups


def groups(db: Db, job: Document) -> list[Document]:
    """How many there are of each kind, failed ones before skipped ones, the most first: {state, reason, label,
    count}."""
    labels = _labels(job)
    by_kind = {"_id": {"state": "$state", "reason": "$reason"}, "count": {"$sum": 1}}
    found = db.job_errors.aggregate(
        [
            {"$match": {"jobId": job["_id"]}},
            {"$group": by_kind},
            {"$sort": {"_id.state": 1, "count": -1, "_id.reason": 1}},
        ],
        maxTimeMS=SLOWEST_QUERY_MS,
    )
    return [
        {
            **each["_id"],
            "label": labels.get(each["_id"]["reason"], each["_id"]["reason"]),
            "count": each["count"],
        }
        for each in found
    ]


def every(db: Db, job: Document, filter: dict[str, str]) -> Iterator[Document]:
    """All of them, without keeping them in memory."""
    return _shown(job, _find(db, job, filter))


def _find(db: Db, job: Document, filter: dict[str, str]) -> Cursor[Document]:
    """In the order of their items. Ids begin with the job's, so that one index finds and sorts them."""
    ids = {"$gte": f"{job['_id']}:", "$lt": f"{job['_id']};"}
    return (
        db.job_errors.find({"_id": ids, "jobId": job["_id"], **filter}).sort("_id", 1).hint("_id_")
    )


def _shown(job: Document, rows: Cursor[Document]) -> Iterator[Document]:
    labels = _labels(job)
    for row in rows:
        yield {
            "itemId": row.get("itemId") or row.get("leadId"),
            "title": row.get("title") or row.get("email") or "",
            "state": row["state"],
            "reason": row["reason"],
            "label": labels.get(row["reason"], row["reason"]),
            "words": row.get("words"),
            "at": row["at"],
        }


def _labels(job: Document) -> dict[str, str]:
    kind = kinds.every().get(job["type"])
    return dict(kind.reasons) if kind else {}
