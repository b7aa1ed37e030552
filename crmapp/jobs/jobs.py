"""Job records: what was asked for, by whom, and what has come of it."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from bson import ObjectId
from pymongo.errors import DuplicateKeyError

from crmapp.clock import now
from crmapp.database import Db, Document


class JobStatus(StrEnum):
    """Where a job is. A job is unfinished in the first three."""

    QUEUED = "queued"  # recorded, no runner has had it yet
    RUNNING = "running"  # under way, or waiting for its mail to leave
    PAUSED = "paused"  # held by an administrator
    COMPLETED = "completed"  # everything is done and the sums add up
    FAILED = "failed"  # stopped by a fault of the job, not of an item
    CANCELLED = "cancelled"  # ended by an administrator


UNFINISHED = [JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.PAUSED]


class Phase(StrEnum):
    """What an unfinished job is doing. A runner is needed in the first two."""

    SELECTING = "selecting"  # freezing what it will work on
    WORKING = "working"  # going through its items
    MAILING = "mailing"  # its items are done, some of their mail is not


class ItemState(StrEnum):
    """What became of an item that did not simply succeed."""

    SKIPPED = "skipped"
    FAILED = "failed"


class NotYours(Exception):
    """The job exists and belongs to somebody else."""


def new_job(
    job_id: str, type: str, user_id: ObjectId, user_name: str, selection: Document, total: int
) -> Document:
    """`total` may still change while the job is selecting."""
    return {
        "_id": job_id,
        "type": type,
        "userId": user_id,
        "userName": user_name,
        "status": JobStatus.QUEUED,
        "phase": Phase.SELECTING,
        "selection": selection,
        "counts": {"total": total, "activated": 0, "skipped": 0, "failed": 0},
        "createdAt": now(),
        "startTime": None,
        "workedAt": None,
        "endTime": None,
        "duration": None,
        "lease": None,
        "takeovers": 0,
    }


def record(db: Db, job: Document) -> tuple[Document, bool]:
    """Store `job` unless one of its id is there. Returns the stored one, and whether it is new."""
    try:
        db.jobs.insert_one(job)
    except DuplicateKeyError:
        stored = db.jobs.find_one({"_id": job["_id"]})
        assert stored is not None
        return stored, False
    return job, True


def may_see(job_or_progress: Document, user_id: Any, sees_everything: bool) -> bool:
    return sees_everything or job_or_progress["userId"] == user_id


def unfinished_ids(db: Db) -> list[str]:
    return [job["_id"] for job in db.jobs.find({"status": {"$in": UNFINISHED}}, {"_id": 1})]


def item_error(
    job_id: str, item_id: ObjectId, email: str, state: ItemState, reason: str
) -> Document:
    """One row of `job_errors`. Its id makes a second row for the same item impossible."""
    return {
        "_id": f"{job_id}:{item_id}",
        "jobId": job_id,
        "leadId": item_id,
        "email": email,
        "state": state,
        "reason": reason,
        "at": now(),
    }
