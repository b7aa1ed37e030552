"""What programs are told of syncs."""

from __future__ import annotations

from crmapp.accounts.users import User
from crmapp.database import Db, Document
from crmapp.jobs import jobs
from crmapp.jobs.jobs import ItemState, Phase
from crmapp.sync import sources
from crmapp.sync.source import LABELS

MOST_JOBS = 100
MOST_ERRORS = 50


def of_user(db: Db, user: User) -> list[Document]:
    """The syncs that `user` started, the newest first."""
    mine = {"userId": user.key, "type": {"$in": list(sources.every())}}
    newest = [("createdAt", -1), ("_id", -1)]
    return [public(db, job) for job in db.jobs.find(mine).sort(newest).limit(MOST_JOBS)]


def public(db: Db, job: Document) -> Document:
    counts = job["counts"]
    total, processed = counts["total"], jobs.done(counts)
    return {
        "id": job["_id"],
        **{name: job[name] for name in ("userId", "type", "status")},
        "totalItems": total,
        "processedItems": processed,
        "syncedItems": processed - counts["failed"],
        "failedItems": counts["failed"],
        "progress": _percentage(job),
        "errors": _errors(db, job) if counts["failed"] else [],
        **{name: job[name] for name in ("startTime", "endTime", "duration")},
    }


def _percentage(job: Document) -> int:
    counts = job["counts"]
    if job["phase"] == Phase.SELECTING:
        return 0
    return 100 * jobs.done(counts) // counts["total"] if counts["total"] else 100


def _errors(db: Db, job: Document) -> list[Document]:
    failed = {"jobId": job["_id"], "state": ItemState.FAILED}
    rows = db.job_errors.find(failed).sort("_id", 1).limit(MOST_ERRORS)
    return [
        {
            "itemId": row["itemId"],
            "title": row["title"],
            "reason": row["reason"],
            "msg": f"{LABELS.get(row['reason'], row['reason'])}: {row['words']}",
        }
        for row in rows
    ]
