"""The live numbers of a job: a projection of the job's counts and of the counts of its mails."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple, Protocol, cast

from flask import Flask, current_app
from pymongo.client_session import ClientSession

from crmapp.clock import now
from crmapp.database import Db, Document
from crmapp.jobs import jobs, kinds
from crmapp.jobs.jobs import JobEvent, JobStatus, Phase
from crmapp.jobs.projection import project
from crmapp.live.blueprint import live
from crmapp.live.events import COMPLETE, JOB, PROGRESS, Event, make_event
from crmapp.live.topics import Topic, session_topic
from crmapp.wire import to_json

JUST_ENDED_SECONDS = 120
ACTIVATION = "activation"


class MailCounts(NamedTuple):
    """Of one job. `waiting` says whether any is left in the queue."""

    sent: int
    failed: int
    waiting: bool


class Mails(Protocol):
    """What jobs need of the mail queue, which is above them."""

    def count(self, db: Db, job_id: str) -> MailCounts: ...

    def hold(self, db: Db, job_id: str, until: datetime) -> None:
        """Send no mail of the job before `until`, except what was tried already."""

    def tell_of_end(self, db: Db, job: Document, session: ClientSession) -> None:
        """Queue the mail that tells whoever started `job` what has come of it, where they are to get one."""


def init_app(app: Flask, mails: Mails) -> None:
    app.extensions["job_mails"] = mails


def _mails() -> Mails:
    return cast(Mails, current_app.extensions["job_mails"])


def hold_mail(db: Db, job_id: str, until: datetime) -> None:
    """Send no mail of the job before `until`, except what was tried already."""
    _mails().hold(db, job_id, until)


def tell_of_end(db: Db, job: Document, session: ClientSession) -> None:
    """In the transaction that ends `job`: have whoever started it told, where they are to be."""
    _mails().tell_of_end(db, job, session)


def refresh(db: Db, job_id: str) -> None:
    """Bring the progress of a job up to date, settle the job where everything is done, and announce it."""
    ttl = timedelta(seconds=current_app.config["SETTINGS"].progress_ttl_seconds)

    job: Document | None = None

    def work_out(stored: Document | None) -> Document | None:
        nonlocal job
        # The mails first: what was sent before the job is read cannot be more than what it has activated.
        mails = _mails().count(db, job_id)
        job = db.jobs.find_one({"_id": job_id}, {"selection": 0, "trail": 0})
        if job is None or (stored is None and job["phase"] == Phase.OVER):
            return None
        fields = _numbers(job, mails, stored)
        if fields["completed"] and not (stored and stored["completed"]):
            fields["expireAt"] = now() + ttl
        return fields

    changed = project(db.activation_progress, {"sessionId": job_id}, work_out)
    try:
        current = changed or find(db, job_id)
        if job and job["phase"] == Phase.MAILING and current and current["completed"]:
            _settle(db, job, current)
    finally:
        if changed:
            announce(changed)


def _numbers(job: Document, mails: MailCounts, stored: Document | None) -> Document:
    kind, counts, phase = kinds.of(job["type"]), job["counts"], job["phase"]
    done, activated = jobs.done(counts), counts.get("activated", 0)
    pending = activated - mails.sent - mails.failed
    cancelled = job["status"] == JobStatus.CANCELLED
    items_done = phase in (Phase.MAILING, Phase.OVER) and (done == counts["total"] or cancelled)
    # Mail that is sent again after the end does not begin the job anew.
    was_over = phase == Phase.OVER and stored is not None and stored["completed"]
    completed = was_over or (items_done and pending == 0 and not mails.waiting)
    if completed:
        job = {**job, "status": _end_of(job), "phase": Phase.OVER}
    numbers = {
        **counts,
        "type": job["type"],
        "label": kind.label,
        "userId": job["userId"],
        "userName": job["userName"],
        "status": job["status"],
        "phase": job["phase"],
        "ok": sum(counts[name] for name in kind.succeeded),
        "processed": done,
        "remaining": counts["total"] - done,
        "percentage": jobs.percentage(job),
        "problem": job.get("problem"),
        "actions": jobs.actions_of(job),
        "undoUntil": job.get("undoUntil"),
        "undo": job.get("undo"),
        "retryOf": job.get("retryOf"),
        "startTime": job["startTime"],
        "pace": job.get("pace"),
        "emailsSent": mails.sent,
        "emailsFailed": mails.failed,
        "emailsPending": pending,
        "usersDone": items_done,
        "usersDoneAt": job["workedAt"],
        "completed": completed,
    }
    return {**numbers, "msg": kind.message(numbers)}


def _end_of(job: Document) -> JobStatus:
    cancelled = job["status"] == JobStatus.CANCELLED
    return JobStatus.CANCELLED if cancelled else JobStatus.COMPLETED


def _settle(db: Db, job: Document, progress: Document) -> None:
    """End `job`, which is done as far as `progress` was worked out of it. Several processes may find that at once,
    and one that finds it may die before it is on record: the sweep comes here again."""
    as_read = {name: job[name] for name in ("_id", "phase", "status", "counts")}
    ended = {
        "status": _end_of(job),
        "phase": Phase.OVER,
        "endTime": "$$NOW",
        "duration": {"$subtract": ["$$NOW", "$startTime"]},
        "emailsSent": progress["emailsSent"],
        "emailsFailed": progress["emailsFailed"],
    }
    if ended["status"] == JobStatus.COMPLETED:
        ended["trail"] = jobs.noted(JobEvent.COMPLETED)
    changes: list[Document] = [{"$set": ended}, {"$unset": "exclusive"}]

    def write(session: ClientSession) -> None:
        if db.jobs.update_one(as_read, changes, session=session).modified_count:
            settled = db.jobs.find_one({"_id": job["_id"]}, session=session)
            assert settled is not None
            tell_of_end(db, settled, session)

    with db.client.start_session() as session:
        session.with_transaction(write)
    jobs.prune(db, job["userId"])


def announce(progress: Document) -> None:
    live.announce(
        topic(progress), _event_type(progress), progress["rev"], to_json(public(progress))
    )


def event(progress: Document) -> Event:
    """The event that tells this state."""
    return make_event(
        topic(progress), _event_type(progress), progress["rev"], to_json(public(progress))
    )


def _event_type(progress: Document) -> str:
    if progress["type"] != ACTIVATION:
        return JOB
    return COMPLETE if progress["completed"] else PROGRESS


def topic(progress: Document) -> Topic:
    return session_topic(progress["sessionId"], str(progress["userId"]))


def public(progress: Document) -> Document:
    """What readers are given: all but what only MongoDB needs."""
    return {name: value for name, value in progress.items() if name not in ("_id", "expireAt")}


def find(db: Db, session_id: str) -> Document | None:
    return db.activation_progress.find_one({"sessionId": session_id})


def find_unfinished(db: Db, user_id: object, sees_everything: bool) -> list[Document]:
    """Of the jobs that are not over and that this user may see, oldest first."""
    whose = {} if sees_everything else {"userId": user_id}
    return list(db.activation_progress.find({**whose, "completed": False}).sort("createdAt", 1))


def find_current(db: Db, user_id: object, sees_everything: bool) -> list[Document]:
    """Those and the ones that have just ended, whose end a reader may have missed."""
    whose = {} if sees_everything else {"userId": user_id}
    ended = {"completed": True, "updatedAt": {"$gt": now() - timedelta(seconds=JUST_ENDED_SECONDS)}}
    query = {**whose, "$or": [{"completed": False}, ended]}
    return list(db.activation_progress.find(query).sort("createdAt", 1))
