"""What became of the latest sync of each source, as the page of the documents tells it."""

from __future__ import annotations

from typing import Any

from crmapp.accounts.users import User
from crmapp.database import Db, Document
from crmapp.jobs.jobs import UNFINISHED, JobStatus
from crmapp.sync import sources

ENDED = [JobStatus.COMPLETED, JobStatus.FAILED]
SHOWN = {"userId": 1, "userName": 1, "status": 1, "endTime": 1, "counts": 1}


def of_each(db: Db, user: User) -> dict[str, Document]:
    """By type: `under_way`, the sync that has not ended, `last`, the newest one that is complete, and `newest`, the
    newest one that is complete or has stopped at a fault. Each is None where there is none. `visible` says whether
    `user` may see its page."""
    return {
        type: {
            "under_way": _newest(db, user, {"type": type, "status": {"$in": UNFINISHED}}),
            "last": _newest(db, user, {"type": type, "status": JobStatus.COMPLETED}),
            "newest": _newest(db, user, {"type": type, "status": {"$in": ENDED}}),
        }
        for type in sources.every()
    }


def _newest(db: Db, user: User, query: dict[str, Any]) -> Document | None:
    job = db.jobs.find_one(query, SHOWN, sort=[("createdAt", -1)])
    if job is None:
        return None
    return {**job, "visible": user.sees_everything or job["userId"] == user.key}
