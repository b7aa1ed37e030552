"""What an administrator does with a job: pause, resume, cancel, undo, retry. Every press is one write.

Whoever runs the job is not asked: the same write takes its lease away, so that the chunk it is in writes nothing any
more. A press is therefore in effect the moment it is answered, whatever dies after it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

from pymongo import ReturnDocument, WriteConcern
from pymongo.errors import DuplicateKeyError, ExecutionTimeout

from crmapp.accounts import users
from crmapp.accounts.users import User
from crmapp.clock import now
from crmapp.database import Db, Document
from crmapp.jobs import jobs, kinds, leases, progress
from crmapp.jobs.jobs import FORWARD, GOING, JobEvent, JobStatus, Phase
from crmapp.jobs.runner import BELL
from crmapp.live.blueprint import live
from crmapp.requests import BadInput

CONFLICT = 409
# A chunk that is under way may have written the job; one of a dead runner keeps it locked until it is ended.
PATIENCE_MS = 500
PATIENCE_SECONDS = 10
# The patience is for locks. `_make_known`, a majority write, waits until the press is safe.
FAST_COMMIT = WriteConcern(w=1)
# The mail of a job is held back from before an undo is on record until it has been done.
SHORT_HOLD = timedelta(minutes=2)
HOLD = timedelta(days=1)
# With its items done and nothing but mail left, there is nothing to hold; the queue has a pause of its own.
ONLY_MAIL = (
    "Its work is done, only mail is still to leave. Pause the e-mail queue to hold that back."
)
GOES_BACK = {
    Phase.RETURNING: "This job is being cancelled.",
    Phase.UNDOING: "This job is being undone.",
}


def pause(db: Db, user: User, job_id: str) -> tuple[Document, str]:
    """Hold a job until it is resumed. Returns it, and a sentence for the person. This and the others raise NoSuchJob,
    NotYours, and BadInput (409) where it cannot be done now."""

    def already(job: Document) -> str | None:
        return "It is paused already." if job["status"] == JobStatus.PAUSED else None

    when = {"status": {"$in": GOING}, "phase": {"$in": FORWARD}}
    changes = {"status": JobStatus.PAUSED}
    job, msg = _press(db, user, job_id, already, when, changes, JobEvent.PAUSED)
    return job, msg or "Paused. Nothing is lost."


def resume(db: Db, user: User, job_id: str) -> tuple[Document, str]:
    """Have a job that was paused, or has failed as a whole, go on."""

    def already(job: Document) -> str | None:
        return "It is under way." if job["status"] in GOING else None

    when = {"status": {"$in": [JobStatus.PAUSED, JobStatus.FAILED]}}
    changes = {
        "status": JobStatus.RUNNING,
        "problem": None,
        "endTime": None,
        "duration": None,
        "exclusive": {"$ifNull": ["$exclusive", "$wasExclusive"]},
    }
    try:
        job, msg = _press(db, user, job_id, already, when, changes, JobEvent.RESUMED)
    except DuplicateKeyError:
        raise BadInput(
            "Another job of the same kind is under way: wait until it has ended.", CONFLICT
        ) from None
    return job, msg or "It goes on."


def cancel(db: Db, user: User, job_id: str) -> tuple[Document, str]:
    """End a job. What it has done stays; what it has not reached goes back to what it was."""

    def already(job: Document) -> str | None:
        is_so = job["status"] == JobStatus.CANCELLED or job["phase"] == Phase.RETURNING
        return "It is cancelled already." if is_so else None

    when = {"status": {"$ne": JobStatus.COMPLETED}, "phase": {"$in": FORWARD}}
    changes = {"status": JobStatus.RUNNING, "phase": Phase.RETURNING, "problem": None}
    job, msg = _press(db, user, job_id, already, when, changes, JobEvent.CANCELLED)
    _may_be_retried_again(db, job)
    return job, msg or "Cancelled. What was done stays."


def undo(db: Db, user: User, job_id: str) -> tuple[Document, str]:
    """Take back what a job has done, while it is harmless: until its `undoUntil`."""

    def already(job: Document) -> str | None:
        is_so = job["phase"] == Phase.UNDOING or job.get("undo")
        return "It is undone already." if is_so else None

    job = jobs.find(db, user, job_id)
    if not already(job):
        if not jobs.may_be_undone(job):
            raise BadInput(_why_not_undone(job), CONFLICT)
        # Before it is on record, so that no invitation leaves after it, whoever dies.
        progress.hold_mail(db, job_id, now() + SHORT_HOLD)
    when = {"phase": {"$in": [*FORWARD, Phase.MAILING]}, "undoUntil": {"$ne": None}}
    changes = {"status": JobStatus.RUNNING, "phase": Phase.UNDOING, "problem": None}
    job, msg = _press(db, user, job_id, already, when, changes, JobEvent.UNDONE)
    if job["phase"] == Phase.UNDOING:
        progress.hold_mail(db, job_id, now() + HOLD)
    _may_be_retried_again(db, job)
    return job, msg or "It is being undone."


def retry(db: Db, user: User, job_id: str) -> Document:
    """A job of its own over the items of this one that failed, of the same owner. The same again gives the same job
    while that is under way."""
    job = jobs.find(db, user, job_id)
    under_way = db.jobs.find_one({"retryOf": job_id, "phase": {"$ne": Phase.OVER}})
    if under_way:
        return under_way
    if job["phase"] not in (Phase.MAILING, Phase.OVER):
        raise BadInput("Wait until the job has ended; then retry what failed.", CONFLICT)
    if not job["counts"]["failed"]:
        raise BadInput("No item of this job failed, so there is nothing to retry.", CONFLICT)
    if job.get("retry"):
        raise BadInput(
            "Its failed items were retried by another job, so nothing is left to retry here.",
            CONFLICT,
        )
    if job["type"] not in kinds.every():
        raise BadInput(f"There are no jobs of the type {job['type']} any more.", CONFLICT)
    owner = users.by_id(db, str(job["userId"])) or user
    new = kinds.of(job["type"]).retry(db, owner, job)
    db.jobs.update_one({"_id": new["_id"]}, {"$set": {"trail.0.by": _who(user)}})
    retried = jobs.noted(JobEvent.RETRIED, by=_who(user), note=new["_id"])
    changes = {"retry": new["_id"], "trail": retried}
    db.jobs.update_one({"_id": job_id, "retry": {"$ne": new["_id"]}}, [{"$set": changes}])
    progress.refresh(db, job_id)
    _make_known(db, new["_id"])
    return new


def _press(
    db: Db,
    user: User,
    job_id: str,
    already: Callable[[Document], str | None],
    when: Document,
    changes: Document,
    what: JobEvent,
) -> tuple[Document, str | None]:
    """Make `changes` (the body of a pipeline's $set) to a job that is as `when` says. Returns the job, and what
    `already` says where it was so before, perhaps because two pressed at once."""
    if msg := already(jobs.find(db, user, job_id)):
        return jobs.find(db, user, job_id), msg
    changed = _change(db, user, job_id, when, changes, what)
    job = jobs.find(db, user, job_id)
    if changed:
        _make_known(db, job_id)
        return job, None
    if msg := already(job):
        return job, msg
    raise BadInput(_why_not(job), CONFLICT)


def _change(
    db: Db, user: User, job_id: str, when: Document, changes: Document, what: JobEvent
) -> bool:
    """Says whether the job was as `when` says."""
    pipeline = [{"$set": {**changes, **leases.REVOKED, "trail": jobs.noted(what, by=_who(user))}}]
    jobs_now = db.jobs.with_options(write_concern=FAST_COMMIT)
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            before = jobs_now.find_one_and_update(
                {"_id": job_id, **when},
                pipeline,
                projection={"_id": 1},
                return_document=ReturnDocument.BEFORE,
                maxTimeMS=PATIENCE_MS,
            )
        except ExecutionTimeout:
            if time.monotonic() > give_up_at:
                raise
            leases.end_what_is_open(db, job_id)
        else:
            return before is not None


def _may_be_retried_again(db: Db, job: Document) -> None:
    """What a retry has not done may be retried again."""
    if original := job.get("retryOf"):
        db.jobs.update_one({"_id": original, "retry": job["_id"]}, {"$unset": {"retry": 1}})
        progress.refresh(db, original)


def _who(user: User) -> Document:
    return {"id": user.key, "name": user.name or user.email}


def _why_not_undone(job: Document) -> str:
    until = job.get("undoUntil")
    if until and until <= now():
        return "It is too late to undo this: the invitations are on their way."
    return _why_not(job)


def _why_not(job: Document) -> str:
    if job["phase"] in GOES_BACK:
        return GOES_BACK[job["phase"]]
    if job["phase"] == Phase.MAILING and job["status"] in GOING:
        return ONLY_MAIL
    return f"This job is {job['status']}: that cannot be done any more."


def _make_known(db: Db, job_id: str) -> None:
    progress.refresh(db, job_id)
    live.ring(BELL)
