"""Starting a job over a frozen set of leads. The same again is the same job."""

from __future__ import annotations

import hashlib
import json

from crmapp.accounts import rights
from crmapp.accounts.users import User
from crmapp.bulk.actions import Action
from crmapp.database import Db, Document
from crmapp.jobs import jobs
from crmapp.jobs.jobs import ItemState, NotYours, Phase
from crmapp.leads import selections
from crmapp.requests import BadInput

COUNTS = ("changed", "unchanged", "skipped", "failed")
CONFLICT = 409


def start(
    db: Db, user: User, action: Action, params: Document, wanted: Document, retry_of: str = ""
) -> Document:
    """Record a job over the leads that are `wanted` (see selections.parse), ready for a runner. Returns it.

    The same set, action and `params` again give the same job. Raises BadInput where nothing is selected.
    """
    if "selectionId" in wanted:
        there = db.jobs.find_one({"_id": _job_id(action, params, wanted["selectionId"])})
        if there:
            return _mine(there, user)
    selection = selections.freeze(db, user, wanted)
    job = _new_job(user, action, params, selection)
    if retry_of:
        job |= {"retryOf": retry_of, "exclusive": f"retry/{retry_of}"}
    job, is_new = jobs.record(db, job)
    if is_new:
        selections.keep(db, selection["_id"])
    return _mine(job, user)


def _new_job(user: User, action: Action, params: Document, selection: Document) -> Document:
    kept = {"filter": selection["filter"]} if "filter" in selection else {}
    return jobs.new_job(
        _job_id(action, params, selection["_id"]),
        action.type,
        user.key,
        user.name or user.email,
        {**kept, "selectionId": selection["_id"], "count": selection["total"]},
        selection["total"],
        counts=COUNTS,
        params=params,
        cursor=0,
        **_limits(user),
    ) | {"phase": Phase.WORKING}


def _limits(user: User) -> Document:
    """What keeps the job to the leads of `user`, whoever they belong to when their turn comes."""
    limits = rights.leads_of(user)
    return {"within": limits} if limits else {}


def _job_id(action: Action, params: Document, selection_id: str) -> str:
    asked = json.dumps([action.name, params, selection_id], default=str, sort_keys=True)
    return f"{action.type}_{hashlib.sha256(asked.encode()).hexdigest()[:24]}"


def _mine(job: Document, user: User) -> Document:
    if not jobs.may_see(job, user.key, user.sees_everything):
        raise NotYours
    return job


def retry(db: Db, user: User, action: Action, job: Document) -> Document:
    """Record a job over the leads that failed in `job`. Raises BadInput (409) where none of them is left."""
    failed = {"jobId": job["_id"], "state": ItemState.FAILED}
    ids = [row["leadId"] for row in db.job_errors.find(failed, {"leadId": 1})]
    if not db.leads.find_one({"_id": {"$in": ids}}, {"_id": 1}):
        raise BadInput("None of the leads that failed in this job is left to be retried.", CONFLICT)
    return start(db, user, action, job["params"], {"leadIds": ids}, retry_of=job["_id"])
