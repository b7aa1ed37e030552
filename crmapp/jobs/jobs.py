"""Job records: what was asked for, by whom, and what has come of it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from bson import ObjectId
from pymongo.errors import DuplicateKeyError

from crmapp.accounts.users import User
from crmapp.clock import now
from crmapp.database import Db, Document


class JobStatus(StrEnum):
    """Where a job is. A job is unfinished in the first three."""

    QUEUED = "queued"  # recorded, no runner has had it yet
    RUNNING = "running"  # under way, or waiting for its mail to leave
    PAUSED = "paused"  # held by an administrator
    COMPLETED = "completed"  # everything is done and the sums add up
    FAILED = (
        "failed"  # stopped by a fault of the job, not of an item; it can be resumed or cancelled
    )
    CANCELLED = "cancelled"  # ended by an administrator


GOING = [JobStatus.QUEUED, JobStatus.RUNNING]
UNFINISHED = [JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.PAUSED]


class Phase(StrEnum):
    """What a job is doing. A runner is needed in the first four."""

    SELECTING = "selecting"  # freezing what it will work on
    WORKING = "working"  # going through its items
    RETURNING = "returning"  # cancelled: giving back the items that it has not reached
    UNDOING = "undoing"  # taking back what it has done
    MAILING = "mailing"  # its items are done, some of their mail may not be
    OVER = "over"  # nothing is left to be done


FORWARD = [Phase.SELECTING, Phase.WORKING]
BACKWARD = [Phase.RETURNING, Phase.UNDOING]
FOR_RUNNERS = [*FORWARD, *BACKWARD]


class JobEvent(StrEnum):
    """What a job's trail says."""

    STARTED = "started"
    TAKEN_UP = "taken_up"  # by a worker, at first or after a pause
    TAKEN_OVER = "taken_over"  # by a worker, because the one before had died
    PAUSED = "paused"
    RESUMED = "resumed"
    CANCELLED = "cancelled"
    UNDONE = "undone"
    RETRIED = "retried"  # its failed items, by another job
    COMPLETED = "completed"
    FAILED = "failed"


KEPT_ENTRIES = 200
KEPT_JOBS = 50
TOO_OLD = {"id": None, "name": f"crmapp, which keeps {KEPT_JOBS} jobs of a person,"}


class ItemState(StrEnum):
    """What became of an item that did not simply succeed."""

    SKIPPED = "skipped"
    FAILED = "failed"
    KEPT = "kept"  # an undo left it, because somebody had acted on it


class NotYours(Exception):
    """The job exists and belongs to somebody else."""


class NoSuchJob(LookupError):
    """There is no job of this id, or it is kept no longer."""


class JobFault(Exception):
    """The job as a whole cannot go on. Its text says to a person why, and what to do."""


def new_job(
    job_id: str,
    type: str,
    user_id: ObjectId,
    user_name: str,
    selection: Document,
    total: int,
    *,
    counts: Iterable[str] = ("activated", "skipped", "failed"),
    **more: Any,
) -> Document:
    """`total` may still change while the job is selecting. `counts` names what becomes of items. A job with an
    `exclusive` among `more` excludes others that have the same while it is under way."""
    return {
        "_id": job_id,
        "type": type,
        "userId": user_id,
        "userName": user_name,
        "status": JobStatus.QUEUED,
        "phase": Phase.SELECTING,
        "selection": selection,
        "counts": {"total": total, **dict.fromkeys(counts, 0)},
        "createdAt": now(),
        "startTime": None,
        "workedAt": None,
        "endTime": None,
        "duration": None,
        "lease": None,
        "revoked": None,
        "takeovers": 0,
        "deaths": 0,
        "undoUntil": None,
        "retryOf": None,
        "trail": [
            {
                "what": JobEvent.STARTED,
                "at": now(),
                "by": {"id": user_id, "name": user_name},
            }
        ],
        **more,
    }


def new_id(type: str) -> str:
    return f"{type}_{time.time_ns() // 1_000_000}_{secrets.token_hex(6)}"


def record(db: Db, job: Document) -> tuple[Document, bool]:
    """Store `job` unless one of its id, or one that excludes it, is there. Returns the stored one, and whether it is
    new."""
    while True:
        try:
            db.jobs.insert_one(job)
            return job, True
        except DuplicateKeyError:
            same = [{"_id": job["_id"]}]
            if "exclusive" in job:
                same.append({"exclusive": job["exclusive"]})
            if stored := db.jobs.find_one({"$or": same}):
                return stored, False


def noted(what: JobEvent, **more: Any) -> Document:
    """A job's trail with one more entry, for the $set of a pipeline. `more` is by, worker or note, as it is."""
    entry = {"what": what.value, "at": "$$NOW", **{k: {"$literal": v} for k, v in more.items()}}
    trail = {"$concatArrays": [{"$ifNull": ["$trail", []]}, [entry]]}
    return {"$slice": [trail, -KEPT_ENTRIES]}


def find(db: Db, user: User, job_id: str) -> Document:
    """Raises NoSuchJob, and NotYours where `user` may not see it."""
    job = db.jobs.find_one({"_id": job_id})
    if job is None:
        raise NoSuchJob(job_id)
    if not may_see(job, user.key, user.sees_everything) or (user.is_agent and "within" not in job):
        raise NotYours
    return job


def done(counts: Mapping[str, int]) -> int:
    """How many items something has become of."""
    return sum(counts.values()) - counts["total"]


def percentage(job: Document) -> int:
    """Of its items, how many are done. While they are being selected nobody knows how many there will be."""
    if job["phase"] == Phase.SELECTING:
        return 0
    total = job["counts"]["total"]
    return min(100, 100 * done(job["counts"]) // total) if total else 100


def actions_of(job: Document) -> list[str]:
    """What may be done with a job now: pause, resume, cancel, undo, retry."""
    status, phase = job["status"], job["phase"]
    going = status in GOING
    forward = phase in FORWARD
    possible = {
        "pause": going and forward,
        "resume": status in (JobStatus.PAUSED, JobStatus.FAILED),
        "cancel": forward,
        "undo": may_be_undone(job),
        "retry": phase in (Phase.MAILING, Phase.OVER)
        and job["counts"]["failed"] > 0
        and not job.get("retry")
        and job.get("retriable", True),
    }
    return [name for name, is_possible in possible.items() if is_possible]


def may_be_undone(job: Document) -> bool:
    until = job.get("undoUntil")
    phases = (*FORWARD, Phase.MAILING)
    return until is not None and now() < until and job["phase"] in phases


def may_see(job_or_progress: Document, user_id: Any, sees_everything: bool) -> bool:
    return sees_everything or job_or_progress["userId"] == user_id


def unsettled_ids(db: Db) -> list[str]:
    query = {"phase": {"$ne": Phase.OVER}, "status": {"$ne": JobStatus.COMPLETED}}
    return [job["_id"] for job in db.jobs.find(query, {"_id": 1})]


def prune(db: Db, user_id: ObjectId) -> None:
    """Keep the user's KEPT_JOBS newest jobs that have ended, and let the others go with their errors. One that failed
    as a whole, and was neither resumed nor cancelled, is cancelled first: it may hold leads."""
    ended = {"userId": user_id, "endTime": {"$ne": None}}
    old = list(db.jobs.find(ended, {"phase": 1}).sort("endTime", -1).skip(KEPT_JOBS))
    over = [job["_id"] for job in old if job["phase"] == Phase.OVER]
    if over:
        db.job_errors.delete_many({"jobId": {"$in": over}})
        db.jobs.delete_many({"_id": {"$in": over}})
    given_up = {
        "status": JobStatus.RUNNING,
        "phase": {"$cond": [{"$in": ["$phase", BACKWARD]}, "$phase", Phase.RETURNING]},
        "endTime": None,
        "problem": None,
        "trail": noted(JobEvent.CANCELLED, by=TOO_OLD),
    }
    left = {"_id": {"$in": [job["_id"] for job in old]}, "status": JobStatus.FAILED}
    db.jobs.update_many(left, [{"$set": given_up}])


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
