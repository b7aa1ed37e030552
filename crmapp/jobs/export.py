"""The history of jobs, and the errors of one, as CSV files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from crmapp.accounts.users import User
from crmapp.csvcells import to_csv
from crmapp.database import Db, Document
from crmapp.jobs import errors, filters, listing

JOB_COLUMNS = {
    "Job": "id",
    "Type": "label",
    "Status": "status",
    "Started by": "userName",
    "Created": "createdAt",
    "Started": "startTime",
    "Ended": "endTime",
    "Duration (s)": "seconds",
    "Items": "total",
    "Succeeded": "ok",
    "Skipped": "skipped",
    "Failed": "failed",
    "Not reached": "remaining",
    "Items a second": "pace",
    "Problem": "problem",
    "Retry of": "retryOf",
    "Retried as": "retry",
}
ERROR_COLUMNS = {
    "Item": "title",
    "State": "state",
    "Reason": "label",
    "What was wrong": "words",
    "When": "at",
    "Id": "itemId",
}


def history(db: Db, user: User, values: dict[str, Any]) -> Iterator[str]:
    """The jobs that the query string `values` lists for `user`, in pieces. Raises BadInput, before the first piece."""
    filter = filters.parse(values)
    return to_csv(list(JOB_COLUMNS), (_line(job) for job in listing.every(db, user, filter)))


def _line(job: Document) -> list[Any]:
    duration, rate = job["duration"], job["rate"]
    told = {
        **job,
        "seconds": None if duration is None else duration / 1000,
        "pace": None if rate is None else round(rate, 1),
    }
    return [told[name] for name in JOB_COLUMNS.values()]


def of_errors(db: Db, job: Document, values: dict[str, Any]) -> Iterator[str]:
    """The errors of a job that the query string `values` lists, in pieces. Raises BadInput, before the first piece."""
    rows = errors.every(db, job, errors.parse(values))
    lines = ([row[name] for name in ERROR_COLUMNS.values()] for row in rows)
    return to_csv(list(ERROR_COLUMNS), lines)
