"""What an administrator does with a job: pause, resume, cancel, undo, retry. Every press is one write.

Whoever runs the job is not asked: the same write takes its lease away, so that the chunk it is in writes nothing any
more. A press is therefore in effect the moment it is answered, whatever dies after it.
"""

from __future__ import annotations

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from crmapp.accounts.users import User
from crmapp.clock import now
from crmapp.database import Db, Document
from crmapp.jobs import jobs, kinds, leases, progress
from crmapp.jobs.jobs import FORWARD, JobEvent, JobStatus, Phase
from crmapp.jobs.runner import BELL
from crmapp.live.blueprint import live
from crmapp.requests import BadInput

CONFLICT = 409
GOING = [JobStatus.QUEUED, JobStatus.RUNNING]
# With users made and nothing but their mail left, there is nothing to hold; the queue has a pause of its own.
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
    job = jobs.find(db, user, job_id)
    if job["status"] == JobStatus.PAUSED:
        return job, "It is paused already."
    when = {"status": {"$in": GOING}, "phase": {"$in": FORWARD}}
    changes = {"status": JobStatus.PAUSED}
    return _change(db, user, job_id, when, changes, JobEvent.PAUSED), "Paused. Nothing is lost."


def resume(db: Db, user: User, job_id: str) -> tuple[Document, str]:
    """Have a job that was paused, or has failed as a whole, go on."""
    job = jobs.find(db, user, job_id)
    if job["status"] in GOING:
        return job, "It is under way."
    when = {"status": {"$in": [JobStatus.PAUSED, JobStatus.FAILED]}}
    changes = {
        "status": JobStatus.RUNNING,
        "problem": None,
        "endTime": None,
        "duration": None,
        "exclusive": {"$ifNull": ["$exclusive", "$wasExclusive"]},
    }
    try:
        return _change(db, user, job_id, when, changes, JobEvent.RESUMED), "It goes on."
    except DuplicateKeyError:
        raise BadInput(
            "Another job of the same kind is under way: wait until it has ended.", CONFLICT
        ) from None


def cancel(db: Db, user: User, job_id: str) -> tuple[Document, str]:
    """End a job. What it has done stays; what it has not reached goes back to what it was."""
    job = jobs.find(db, user, job_id)
    if job["status"] == JobStatus.CANCELLED or job["phase"] == Phase.RETURNING:
        return job, "It is cancelled already."
    when = {"status": {"$ne": JobStatus.COMPLETED}, "phase": {"$in": FORWARD}}
    changes = {"status": JobStatus.RUNNING, "phase": Phase.RETURNING, "problem": None}
    job = _change(db, user, job_id, when, changes, JobEvent.CANCELLED)
    if job["retryOf"]:
        # What this one has not reached may be retried again.
        db.jobs.update_one({"_id": job["retryOf"], "retry": job_id}, {"$unset": {"retry": 1}})
    return job, "Cancelled. What was done stays."


def undo(db: Db, user: User, job_id: str) -> tuple[Document, str]:
    """Take back what a job has done, while it is harmless: until its `undoUntil`."""
    job = jobs.find(db, user, job_id)
    if job["phase"] == Phase.UNDOING or job.get("undo"):
        return job, "It is undone already."
    if job["undoUntil"] and job["undoUntil"] <= now():
        raise BadInput("It is too late to undo this: the invitations are on their way.", CONFLICT)
    when = {"undoUntil": {"$gt": now()}, "phase": {"$in": [*FORWARD, Phase.MAILING]}}
    changes = {"status": JobStatus.RUNNING, "phase": Phase.UNDOING, "problem": None}
    return _change(db, user, job_id, when, changes, JobEvent.UNDONE), "It is being undone."


def retry(db: Db, user: User, job_id: str) -> Document:
    """A job of its own over the items of this one that failed. The same again gives the same job while that is
    under way."""
    job = jobs.find(db, user, job_id)
    under_way = db.jobs.find_one({"retryOf": job_id, "phase": {"$ne": Phase.OVER}})
    if under_way:
        return under_way
    if job["phase"] not in (Phase.MAILING, Phase.OVER):
        raise BadInput("Wait until the job has ended; then retry what failed.", CONFLICT)
    if not job["counts"]["failed"]:
        raise BadInput("No item of this job failed, so there is nothing to retry.", CONFLICT)
    if job["type"] not in kinds.every():
        raise BadInput(f"There are no jobs of the type {job['type']} any more.", CONFLICT)
    new = kinds.of(job["type"]).retry(db, user, job)
    by, note = _who(user), new["_id"]
    retried = {"retry": new["_id"], "trail": jobs.noted(JobEvent.RETRIED, by=by, note=note)}
    db.jobs.update_one({"_id": job_id, "retry": {"$ne": new["_id"]}}, [{"$set": retried}])
    progress.refresh(db, job_id)
    _make_known(db, new["_id"])
    return new


def _change(
    db: Db, user: User, job_id: str, when: Document, changes: Document, what: JobEvent
) -> Document:
    trail = jobs.noted(what, by=_who(user))
    before = db.jobs.find_one_and_update(
        {"_id": job_id, **when},
        [{"$set": {**changes, "lease": None, "trail": trail}}],
        return_document=ReturnDocument.BEFORE,
    )
    if before is None:
        raise BadInput(_why_not(jobs.find(db, user, job_id)), CONFLICT)
    if before["lease"]:
        leases.abort_transaction(db, before["lease"])
    _make_known(db, job_id)
    return jobs.find(db, user, job_id)


def _who(user: User) -> Document:
    return {"id": user.key, "name": user.name or user.email}


def _why_not(job: Document) -> str:
    if job["phase"] in GOES_BACK:
        return GOES_BACK[job["phase"]]
    if job["phase"] == Phase.MAILING:
        return ONLY_MAIL
    return f"This job is {job['status']}: that cannot be done any more."


def _make_known(db: Db, job_id: str) -> None:
    progress.refresh(db, job_id)
    live.ring(BELL)
