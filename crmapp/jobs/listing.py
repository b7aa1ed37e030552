"""The lists of jobs, and what is shown of each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pymongo.cursor import Cursor

from crmapp.accounts.users import User
from crmapp.database import Db, Document
from crmapp.jobs import filters, jobs, kinds, pace, progress
from crmapp.paging import PAGE_SIZE, SLOWEST_QUERY_MS, Page
from crmapp.requests import number

RECENT = 10
# A selection may be long. Of the trail, only what tells how long a job was worked on.
NOT_LISTED = dict.fromkeys(("selection", "trail.by", "trail.worker", "trail.note"), 0)
NEWEST_FIRST = [("createdAt", -1), ("_id", -1)]
STORED = (
    *("type", "userId", "userName", "status", "phase", "counts", "createdAt", "startTime"),
    *("endTime", "duration", "takeovers"),
)
# Set where they apply, and since jobs can be steered.
MAYBE_STORED = ("problem", "retryOf", "retry", "undoUntil", "undo")


def list_page(db: Db, user: User, values: dict[str, Any]) -> tuple[Page, dict[str, str]]:
    """The page that the query string `values` asks for among the jobs that `user` may see, newest first, and its
    filter. Raises BadInput."""
    filter = filters.parse({name: value for name, value in values.items() if name != "page"})
    wanted = number(values, "page", 1, 1_000_000)
    query = filters.to_query(user, filter)
    total = db.jobs.count_documents(query, maxTimeMS=SLOWEST_QUERY_MS)
    found = find(db, query).max_time_ms(SLOWEST_QUERY_MS)
    items = found.skip((wanted - 1) * PAGE_SIZE).limit(PAGE_SIZE)
    return Page([public(job) for job in items], total, False, wanted), filter


def recent(db: Db, user: User) -> list[Document]:
    """The newest jobs that `user` may see, as they are shown."""
    found = find(db, filters.visible_to(user)).max_time_ms(SLOWEST_QUERY_MS)
    return [public(job) for job in found.limit(RECENT)]


def every(db: Db, user: User, filter: dict[str, str]) -> Iterator[Document]:
    """All jobs of a list, in its order, as they are shown, without keeping them in memory."""
    for job in find(db, filters.to_query(user, filter)):
        yield public(job)


def find(db: Db, query: Document) -> Cursor[Document]:
    """Jobs with what lists show of them, newest first."""
    return db.jobs.find(query, NOT_LISTED).sort(NEWEST_FIRST)


def people(db: Db) -> list[tuple[str, str]]:
    """Everybody who has jobs: (id, name), by name."""
    last_name = {"_id": "$userId", "name": {"$last": "$userName"}}
    found = db.jobs.aggregate(
        [{"$sort": {"createdAt": 1}}, {"$group": last_name}], maxTimeMS=SLOWEST_QUERY_MS
    )
    return sorted(((str(each["_id"]), each["name"]) for each in found), key=lambda one: one[1])


def types() -> dict[str, str]:
    """The label of each type of job."""
    return {type: kind.label for type, kind in kinds.every().items()}


def public(job: Document) -> Document:
    """What is shown of a job, to people and programs."""
    counts = job["counts"]
    total, processed = counts["total"], jobs.done(counts)
    skipped, failed = counts.get("skipped", 0), counts.get("failed", 0)
    return {
        "id": job["_id"],
        **{name: job[name] for name in STORED},
        **{name: job.get(name) for name in MAYBE_STORED},
        "label": label(job),
        "total": total,
        "processed": processed,
        "ok": processed - skipped - failed,
        "skipped": skipped,
        "failed": failed,
        "remaining": total - processed,
        "percentage": jobs.percentage(job),
        "rate": pace.rate(job),
        "actions": jobs.actions_of(job),
    }


def label(job: Document) -> str:
    """What jobs of its type are called. A source that was removed leaves jobs whose type nobody knows any more."""
    type = str(job["type"])
    return types().get(type, type)


def siblings(db: Db, user: User, job: Document) -> list[Document]:
    """The job that this one retries and those that retry it, as far as `user` may see them, oldest first."""
    related = {"$or": [{"_id": job.get("retryOf")}, {"retryOf": job["_id"]}]}
    shown = {"status": 1, "type": 1, "createdAt": 1}
    found = db.jobs.find({"$and": [filters.visible_to(user), related]}, shown).sort("createdAt", 1)
    return [_sibling(other, job) for other in found]


def _sibling(other: Document, job: Document) -> Document:
    return {
        "id": other["_id"],
        "status": other["status"],
        "label": label(other),
        "createdAt": other["createdAt"],
        "relation": "retry of" if other["_id"] == job.get("retryOf") else "retried as",
    }


def mails(db: Db, job: Document) -> Document | None:
    """How many of its mails were sent, have failed and are pending; None where it has none."""
    numbers = progress.find(db, job["_id"]) or job
    shown = {
        name: numbers.get(field, 0)
        for name, field in (
            ("sent", "emailsSent"),
            ("failed", "emailsFailed"),
            ("pending", "emailsPending"),
        )
    }
    return shown if any(shown.values()) else None
