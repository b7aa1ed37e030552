"""The last imports, as they are shown, and the bad rows of one as a file."""

from __future__ import annotations

from collections.abc import Iterator

from crmapp.accounts.users import User
from crmapp.csvcells import to_csv
from crmapp.database import Db, Document
from crmapp.imports import undo
from crmapp.imports.imports import CANCELLED, STARTED, UPLOADED
from crmapp.jobs import listing
from crmapp.paging import SLOWEST_QUERY_MS
from crmapp.requests import BadInput

LAST = 20
SHOWN = (
    *("file", "size", "userName", "createdAt", "state", "counts", "jobId", "undoJobId", "undone"),
    *("startedAt", "endedAt", "importedAt"),
)


def recent(db: Db, user: User) -> list[Document]:
    """The last imports that `user` may see, newest first."""
    whose = {} if user.sees_everything else {"userId": user.key}
    found = db.imports.find(whose, dict.fromkeys(SHOWN, 1)).sort("createdAt", -1).limit(LAST)
    return shown(db, list(found.max_time_ms(SLOWEST_QUERY_MS)))


def shown(db: Db, imports: list[Document]) -> list[Document]:
    """Imports with how they stand, and what may be done with each."""
    ids = [each[name] for each in imports for name in ("jobId", "undoJobId") if each.get(name)]
    jobs = {job["_id"]: job for job in listing.find(db, {"_id": {"$in": ids}})}
    return [_shown(each, jobs) for each in imports]


def _shown(brought: Document, jobs: dict[str, Document]) -> Document:
    job, undone_by = jobs.get(brought.get("jobId", "")), jobs.get(brought.get("undoJobId", ""))
    counts = job["counts"] if job else brought.get("counts") or {}
    # A job that is kept no longer cannot go on.
    state = CANCELLED if brought["state"] == STARTED and job is None else brought["state"]
    bad_rows = counts.get("failed", 0) if job else 0
    return {
        "id": brought["_id"],
        **{name: brought[name] for name in ("file", "size", "userName", "createdAt")},
        "state": state,
        "counts": counts,
        "badRows": bad_rows,
        "job": listing.public(job) if job else None,
        "undoJob": listing.public(undone_by) if undone_by else None,
        "undone": brought.get("undone", False),
        "mayUndo": undo.may_be_undone(brought) and not undo.is_under_way(undone_by),
        "mayContinue": state == UPLOADED,
    }


def bad_rows(db: Db, brought: Document) -> Iterator[str]:
    """The rows that were not imported, as a file that can be imported once it is corrected: why, and then the cells as
    they were. Raises BadInput where they are kept no longer, before the first piece."""
    if "jobId" not in brought:
        raise BadInput("This file was not imported yet, so no row of it is bad so far.", 409)
    job_id = brought["jobId"]
    if db.jobs.find_one({"_id": job_id}, {"_id": 1}) is None:
        raise BadInput("The bad rows of this import are kept no longer.", 404)
    ids = {"$gte": f"{job_id}:", "$lt": f"{job_id};"}
    found = db.job_errors.find({"_id": ids}, {"words": 1, "cells": 1}).sort("_id", 1)
    lines = ([row["words"], *row["cells"]] for row in found)
    return to_csv(["Reason", *brought["headings"]], lines)
