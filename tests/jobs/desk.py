"""Jobs that have run, as they are kept."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from bson import ObjectId

from crmapp.accounts.users import User
from crmapp.clock import now
from crmapp.jobs import jobs
from crmapp.jobs.jobs import ItemState

WORKER = "host:1"


def kept(
    db: Any,
    user: User,
    *,
    activated: int = 10,
    skipped: int = 0,
    failed: int = 0,
    seconds: float = 5,
    at: datetime | None = None,
    type: str = "activation",
    **fields: Any,
) -> dict[str, Any]:
    """Keep a completed activation that was started `at`, unless `fields` say otherwise. A worker took `seconds` for
    its items."""
    total = activated + skipped + failed
    job = jobs.new_job(jobs.new_id(type), type, user.key, user.name, {"filter": {}}, total)
    start = at or now() - timedelta(seconds=seconds)
    end = start + timedelta(seconds=seconds)
    job |= {"status": "completed", "phase": "over", "createdAt": start, "startTime": start}
    job |= {"workedAt": end, "endTime": end, "duration": int(1000 * seconds)}
    job["counts"] |= {"activated": activated, "skipped": skipped, "failed": failed}
    job["trail"] = [started(user.name, start), {"what": "taken_up", "at": start, "worker": WORKER}]
    job |= fields
    db.jobs.insert_one(job)
    return job


def started(name: str, at: datetime) -> dict[str, Any]:
    return {"what": "started", "at": at, "by": {"id": ObjectId(), "name": name}}


def error(
    db: Any,
    job: dict[str, Any],
    email: str = "ivy@example.com",
    state: ItemState = ItemState.FAILED,
    reason: str = "invalid_email",
    **fields: Any,
) -> dict[str, Any]:
    """Note that an item of `job` was skipped or failed."""
    row = jobs.item_error(job["_id"], ObjectId(), email, state, reason) | fields
    db.job_errors.insert_one(row)
    return row
