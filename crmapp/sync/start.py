"""Starting a sync: one of each type at a time."""

from __future__ import annotations

from crmapp.accounts.users import User
from crmapp.database import Db, Document
from crmapp.jobs import jobs
from crmapp.jobs.jobs import ItemState, Phase
from crmapp.requests import BadInput
from crmapp.sync.source import Source

COUNTS = ("synced", "unchanged", "removed", "failed")
CONFLICT = 409


def start(db: Db, user: User, source: Source) -> Document:
    """Record a sync of what has changed, ready for a runner. Returns its job; that of the one that `user` has under
    way, where there is one. Raises BadInput (409) where somebody else is at it."""
    job, _ = jobs.record(db, _new_job(user, source, {}))
    # A retry goes over what failed before, and finds nothing new.
    if job["userId"] != user.key or job["retryOf"] or job["phase"] == Phase.RETURNING:
        raise _taken(job, source)
    return job


def retry(db: Db, user: User, source: Source, job: Document) -> Document:
    """Record a sync of what `job` failed at. Raises BadInput (409) where nothing is left of that, or another sync is
    under way."""
    failed = {"jobId": job["_id"], "state": ItemState.FAILED}
    if not db.job_errors.find_one(failed, {"_id": 1}):
        raise BadInput(
            f"No failed {source.items} of this job are left to be tried again.", CONFLICT
        )
    selection = {"failedOf": job["_id"]}
    new, is_new = jobs.record(db, _new_job(user, source, selection, job["_id"]))
    if not is_new and new["retryOf"] != job["_id"]:
        raise _taken(new, source)
    return new


def _new_job(
    user: User, source: Source, selection: Document, retry_of: str | None = None
) -> Document:
    return jobs.new_job(
        jobs.new_id(source.type),
        source.type,
        user.key,
        user.name,
        selection,
        0,
        counts=COUNTS,
        exclusive=f"sync/{source.type}",
        cursor=None,
        retryOf=retry_of,
    )


def _taken(job: Document, source: Source) -> BadInput:
    return BadInput(
        f"The {source.items} are being synced already, started by {job['userName']}. Wait until that has ended.",
        CONFLICT,
    )
