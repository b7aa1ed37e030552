"""A job is run by whoever holds its lease, and every write of a run is conditional on the lease's token.

Times are MongoDB's own ($$NOW), so that clocks of different machines need not agree; only a new job's first ones are
its maker's, whose lease a runner may then take over early: freezing may be done twice.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from bson import Binary
from pymongo import ReturnDocument
from pymongo.client_session import ClientSession
from pymongo.errors import OperationFailure

from crmapp.clock import now
from crmapp.database import Db, Document
from crmapp.jobs.jobs import BACKWARD, FOR_RUNNERS, GOING, JobEvent, JobStatus, Phase, noted

log = logging.getLogger(__name__)

FREE: Document = {
    "status": {"$in": GOING},
    "phase": {"$in": FOR_RUNNERS},
    "$or": [{"lease": None}, {"$expr": {"$lt": ["$lease.until", "$$NOW"]}}],
}


class LeaseLost(Exception):
    """Somebody else runs the job now, or it ended: whoever meets this writes nothing more."""


@dataclass(frozen=True)
class Lease:
    """The right to run one job, for `seconds` from its last renewal. Transactions of the run use `session`."""

    job: Document
    token: str
    seconds: int
    session: ClientSession

    @property
    def job_id(self) -> str:
        return self.job["_id"]


def for_new_job(db: Db, job: Document, seconds: int) -> Lease:
    """The lease of a job that is yet to be stored: `job` is given it, so that no runner can come in between."""
    token, session = secrets.token_hex(12), db.client.start_session()
    until = now() + timedelta(seconds=seconds)
    lease = {
        "token": token,
        "until": until,
        "session": session.session_id["id"],
        "worker": worker_name(),
    }
    job |= {"status": JobStatus.RUNNING, "startTime": now(), "lease": lease}
    return Lease(job, token, seconds, session)


def claim(db: Db, seconds: int, wanted: Document | None = None) -> Lease | None:
    """The lease of the oldest job that is `wanted` (a query) and that nobody holds; None where there is none."""
    query, lapsed = {**FREE, **(wanted or {})}, {"lease": 1, "revoked": 1}
    while found := db.jobs.find_one(query, lapsed, sort=[("createdAt", 1)]):
        previous = found.get("lease")
        for session_id in (previous and previous["session"], found.get("revoked")):
            if session_id:
                abort_transaction(db, session_id)
        if lease := _take(db, found["_id"], previous, seconds):
            return lease
    return None


def _take(db: Db, job_id: str, previous: Document | None, seconds: int) -> Lease | None:
    """None where another process was faster."""
    token = secrets.token_hex(12)
    session = db.client.start_session()
    job = db.jobs.find_one_and_update(
        {**FREE, "_id": job_id, "lease.token": previous["token"] if previous else None},
        [{"$set": {**_taken(token, seconds, session), **_counted(previous)}}],
        return_document=ReturnDocument.AFTER,
    )
    if job is None:
        session.end_session()
        return None
    return Lease(job, token, seconds, session)


def worker_name() -> str:
    """Of this process, as trails tell it."""
    return f"{socket.gethostname()}:{os.getpid()}"


def _taken(token: str, seconds: int, session: ClientSession) -> Document:
    done = {"$subtract": [_SUM_OF_COUNTS, "$counts.total"]}
    return {
        "status": JobStatus.RUNNING,
        "startTime": {"$ifNull": ["$startTime", "$$NOW"]},
        "revoked": None,
        "pace": {"since": "$$NOW", "done": done},
        "lease": {
            "token": token,
            "until": _from_now(seconds),
            "session": session.session_id["id"],
            "worker": {"$literal": worker_name()},
        },
    }


_SUM_OF_COUNTS = {"$sum": {"$map": {"input": {"$objectToArray": "$counts"}, "in": "$$this.v"}}}


def _counted(previous: Document | None) -> Document:
    if previous is None:
        return {"trail": noted(JobEvent.TAKEN_UP, worker=worker_name())}
    return {
        "takeovers": {"$add": ["$takeovers", 1]},
        "deaths": {"$add": [{"$ifNull": ["$deaths", 0]}, 1]},
        "trail": noted(JobEvent.TAKEN_OVER, worker=worker_name(), note=previous.get("worker")),
    }


def _from_now(seconds: int) -> Document:
    return {"$add": ["$$NOW", seconds * 1000]}


# For the body of a pipeline's $set: the lease is taken away from whoever has it. Their server session is kept in
# mind, so that whoever runs the job next ends what they may have left open.
REVOKED: Document = {"lease": None, "revoked": {"$ifNull": ["$lease.session", "$revoked"]}}


def abort_transaction(db: Db, session_id: Binary) -> None:
    """A killed runner's open transaction would keep its documents locked for a minute
    (transactionLifetimeLimitSeconds); ending its server session ends the transaction at once. A session whose lease
    was lost is never used again, so that no innocent is hit."""
    try:
        db.client.admin.command("killSessions", [{"id": session_id}])
    except OperationFailure as error:
        log.warning("could not end the session of a lapsed runner, so its job may wait: %s", error)


def end_what_is_open(db: Db, job_id: str) -> None:
    """End the transaction that keeps the job's document locked, if its runner has one: it is not done then, and a
    runner that is alive tries it again."""
    job = db.jobs.find_one({"_id": job_id}, {"lease": 1})
    if job and job["lease"]:
        abort_transaction(db, job["lease"]["session"])


def write(db: Db, lease: Lease, changes: Document, *, in_transaction: bool = True) -> None:
    """Apply `changes` (the body of a pipeline's $set) to the job and renew the lease.

    Raises LeaseLost where the lease is held by another; inside a transaction that undoes the whole of it.
    """
    # A renewal is no proof that the next piece of work will not kill this process again.
    got_on: Document = {"deaths": 0} if changes else {}
    result = db.jobs.update_one(
        {"_id": lease.job_id, "lease.token": lease.token},
        [{"$set": {**changes, **got_on, "lease.until": _from_now(lease.seconds)}}],
        session=lease.session if in_transaction else None,
    )
    if result.matched_count == 0:
        raise LeaseLost(lease.job_id)


def give_back(db: Db, lease: Lease, changes: Document | None = None) -> None:
    """End the lease, so that the next runner need not wait for it to lapse."""
    result = db.jobs.update_one(
        {"_id": lease.job_id, "lease.token": lease.token},
        [{"$set": {**(changes or {}), "lease": None}}],
    )
    if result.matched_count:
        lease.session.end_session()


def finish(db: Db, lease: Lease, changes: Document | None = None) -> None:
    """The last write of a run: no runner is needed any more. What went backwards is cancelled then."""
    backward = {"$in": ["$phase", BACKWARD]}
    ended = {
        "phase": Phase.MAILING,
        "workedAt": "$$NOW",
        "status": {"$cond": [backward, JobStatus.CANCELLED, "$status"]},
    }
    give_back(db, lease, {**ended, **(changes or {})})


def fail(
    db: Db,
    lease: Lease,
    problem: str,
    then: Callable[[Db, Document, ClientSession], None],
) -> None:
    """The job cannot go on; `problem` says to a person why. `then` is called with it in the same transaction.
    Raises LeaseLost."""
    failed = {
        "status": JobStatus.FAILED,
        "problem": {"$literal": problem},
        "endTime": "$$NOW",
        "duration": {"$subtract": ["$$NOW", "$startTime"]},
        "lease": None,
        "deaths": 0,
        "wasExclusive": "$exclusive",
        "trail": noted(JobEvent.FAILED, note=problem),
    }
    with lease.session.start_transaction():
        job = db.jobs.find_one_and_update(
            {"_id": lease.job_id, "lease.token": lease.token},
            [{"$set": failed}, {"$unset": "exclusive"}],
            return_document=ReturnDocument.AFTER,
            session=lease.session,
        )
        if job is None:
            raise LeaseLost(lease.job_id)
        then(db, job, lease.session)
    lease.session.end_session()
