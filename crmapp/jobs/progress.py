"""The live numbers of a session: a projection of the job's counts and of the counts of its mails."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

from crmapp.clock import now
from crmapp.database import Db, Document
from crmapp.jobs.jobs import UNFINISHED, JobStatus, Phase
from crmapp.jobs.projection import project
from crmapp.live.blueprint import live
from crmapp.live.events import COMPLETE, PROGRESS, Event, make_event
from crmapp.live.topics import Topic, session_topic
from crmapp.wire import to_json


class MailCounts(NamedTuple):
    """Of one session. `waiting` says whether any is left in the queue."""

    sent: int
    failed: int
    waiting: bool


JUST_ENDED_SECONDS = 120

CountMails = Callable[[Db, str], MailCounts]


def refresh(db: Db, session_id: str, count_mails: CountMails, ttl_seconds: int) -> None:
    """Bring the progress of a session up to date, complete its job where everything is done, and announce it."""

    def work_out(stored: Document | None) -> Document | None:
        # The mails first: what was sent before the job is read cannot be more than what it has activated.
        mails = count_mails(db, session_id)
        job = db.jobs.find_one({"_id": session_id}, {"selection": 0})
        if job is None or (stored is None and job["status"] not in UNFINISHED):
            return None
        return _numbers(job, mails, ttl_seconds, stored)

    changed = project(db.activation_progress, {"sessionId": session_id}, work_out)
    current = changed or db.activation_progress.find_one({"sessionId": session_id})
    if current and current["completed"]:
        _complete_job(db, current)
    if changed:
        announce(changed)


def _numbers(
    job: Document, mails: MailCounts, ttl_seconds: int, stored: Document | None
) -> Document:
    counts = job["counts"]
    done = counts["activated"] + counts["skipped"] + counts["failed"]
    pending = counts["activated"] - mails.sent - mails.failed
    users_done = job["phase"] == Phase.MAILING and done == counts["total"]
    was_completed = stored is not None and stored["completed"]
    completed = was_completed or (users_done and pending == 0 and not mails.waiting)
    numbers = {
        **counts,
        "type": job["type"],
        "userId": job["userId"],
        "status": JobStatus.COMPLETED if completed else job["status"],
        "emailsSent": mails.sent,
        "emailsFailed": mails.failed,
        "emailsPending": pending,
        "percentage": 100 * done // counts["total"] if counts["total"] else 100,
        "usersDone": users_done,
        "usersDoneAt": job["workedAt"],
        "completed": completed,
    }
    numbers["msg"] = _message(numbers)
    if completed and not was_completed:
        numbers["expireAt"] = now() + timedelta(seconds=ttl_seconds)
    return numbers


def _message(numbers: Document) -> str:
    created = f"{numbers['activated']} {_plural('user', numbers['activated'])} created"
    if not numbers["usersDone"]:
        done = numbers["activated"] + numbers["skipped"] + numbers["failed"]
        return f"Creating users… {done} / {numbers['total']} ({numbers['percentage']} %)"
    pending, failed = numbers["emailsPending"], numbers["emailsFailed"]
    if pending:
        verb = "is" if pending == 1 else "are"
        return f"{created}. {pending} {_plural('e-mail', pending)} {verb} being sent in the background."
    sent = f"{numbers['emailsSent']} {_plural('e-mail', numbers['emailsSent'])} sent"
    return f"{created}, {sent}{f', {failed} failed' if failed else ''}."


def _plural(noun: str, count: int) -> str:
    return noun if count == 1 else noun + "s"


def _complete_job(db: Db, progress: Document) -> None:
    """Also finishes what a process that died after completing the progress left undone."""
    db.jobs.update_one(
        {"_id": progress["sessionId"], "status": JobStatus.RUNNING},
        [
            {"$set": {"status": JobStatus.COMPLETED, "endTime": "$$NOW"}},
            {"$set": {"duration": {"$subtract": ["$endTime", "$startTime"]}}},
        ],
    )


def announce(progress: Document) -> None:
    type = COMPLETE if progress["completed"] else PROGRESS
    live.announce(topic(progress), type, progress["rev"], to_json(public(progress)))


def event(progress: Document) -> Event:
    """The event that tells this state."""
    type = COMPLETE if progress["completed"] else PROGRESS
    return make_event(topic(progress), type, progress["rev"], to_json(public(progress)))


def topic(progress: Document) -> Topic:
    return session_topic(progress["sessionId"], str(progress["userId"]))


def public(progress: Document) -> Document:
    """What readers are given: all but what only MongoDB needs."""
    return {name: value for name, value in progress.items() if name not in ("_id", "expireAt")}


def find(db: Db, session_id: str) -> Document | None:
    return db.activation_progress.find_one({"sessionId": session_id})


def find_unfinished(db: Db, user_id: object, sees_everything: bool) -> list[Document]:
    """The sessions that are under way and that this user may see, oldest first."""
    whose = {} if sees_everything else {"userId": user_id}
    return list(db.activation_progress.find({**whose, "completed": False}).sort("createdAt", 1))


def find_current(db: Db, user_id: object, sees_everything: bool) -> list[Document]:
    """Those and the ones that have just ended, whose end a reader may have missed."""
    whose = {} if sees_everything else {"userId": user_id}
    ended = {"completed": True, "updatedAt": {"$gt": now() - timedelta(seconds=JUST_ENDED_SECONDS)}}
    query = {**whose, "$or": [{"completed": False}, ended]}
    return list(db.activation_progress.find(query).sort("createdAt", 1))
