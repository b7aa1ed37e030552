"""Starting an activation: the job is recorded, and its leads are frozen by marking them."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

from pymongo.errors import OperationFailure

from crmapp.accounts.users import User
from crmapp.activation.preview import nothing_selected
from crmapp.activation.selection import to_query
from crmapp.activation.verdicts import Reason
from crmapp.database import Db, Document
from crmapp.jobs import jobs, leases
from crmapp.jobs.jobs import ItemState, NotYours, Phase
from crmapp.jobs.leases import Lease, LeaseLost
from crmapp.leads.leads import LeadStatus
from crmapp.requests import BadInput

TYPE = "activation"
SESSION_ID = re.compile(r"activation_\d{10,16}_[A-Za-z0-9]{4,40}")
# Marking leads goes at more than this a second; a lease has to last until it is done.
SLOWEST_FREEZE = 10_000


def start(
    db: Db,
    user: User,
    selection: Document,
    session_id: str,
    lease_seconds: int,
    undo_seconds: int = 0,
    **more: Any,
) -> Document:
    """Record and freeze an activation; it is ready for a runner then. Returns its job. It can be undone for
    `undo_seconds`; `more` are fields of the job.

    The same `session_id` again gives the same job and starts nothing. Raises BadInput where nothing is selected or
    the id is malformed, NotYours where it is another user's.
    """
    session_id = session_id or jobs.new_id(TYPE)
    if not SESSION_ID.fullmatch(session_id):
        raise BadInput(
            "sessionId must look like activation_<milliseconds>_<random letters and digits>."
        )
    there = db.jobs.find_one({"_id": session_id})
    if there is None:
        total = _count(db, selection)
        if total == 0:
            raise BadInput(nothing_selected(selection), 409 if "failedOf" in selection else 422)
        job = jobs.new_job(session_id, TYPE, user.key, user.name, selection, total, **more)
        if undo_seconds:
            job["undoUntil"] = job["createdAt"] + timedelta(seconds=undo_seconds)
        lease = leases.for_new_job(db, job, lease_seconds)
        there, is_new = jobs.record(db, job)
        if is_new:
            return _freeze_now(db, lease)
        lease.session.end_session()
    if not jobs.may_see(there, user.key, user.sees_everything):
        raise NotYours
    return there


def _count(db: Db, selection: Document) -> int:
    found = db.leads.count_documents(to_query(selection))
    return len(selection["leadIds"]) if found and "leadIds" in selection else found


def _freeze_now(db: Db, lease: Lease) -> Document:
    """Freeze at once, in the request, so that what was selected is what the page showed. Should this process die in
    the middle, a runner finishes it."""
    try:
        changes = freeze(db, lease)
    except LeaseLost:
        return lease.job
    leases.give_back(db, lease, changes)
    return {**lease.job, **changes}


# What a lead was before this session took it; an updated field that gets no value is removed.
AS_BEFORE: list[Document] = [
    {"$set": {"status": "$previousStatus", "activationId": "$previousActivationId"}},
    {"$unset": ["previousStatus", "previousActivationId", "userId", "activatedAt"]},
]


def freeze(db: Db, lease: Lease) -> Document:
    """Mark the selected leads as this session's, and note those that it cannot have.

    Returns what is to be set in the job. May be repeated after a kill. Raises LeaseLost.
    """
    job = lease.job
    query = to_query(job["selection"])
    if "filter" in job["selection"]:
        # A repeated freeze takes no lead that came after the first.
        query = {"$and": [query, {"createdAt": {"$not": {"$gt": job["createdAt"]}}}]}
    lease = replace(lease, seconds=lease.seconds + job["counts"]["total"] // SLOWEST_FREEZE)
    # Whoever was stopped for a while must not mark leads of a session that others have gone on with.
    leases.write(db, lease, {}, in_transaction=False)
    # A lead that a killed freeze noted as another session's may be free by now.
    db.job_errors.delete_many({"jobId": job["_id"]})
    free = {"status": {"$nin": [LeadStatus.ACTIVATING, LeadStatus.ACTIVE]}}
    marks = {
        "previousStatus": "$status",
        "previousActivationId": {"$ifNull": ["$activationId", "$$REMOVE"]},
        "status": LeadStatus.ACTIVATING,
        "activationId": job["_id"],
    }
    # Under the lease's server session, which ends with the lease: a cancel must not be followed by more marks.
    try:
        db.leads.update_many({"$and": [query, free]}, [{"$set": marks}], session=lease.session)
    except OperationFailure:
        leases.write(db, lease, {}, in_transaction=False)
        raise
    try:
        leases.write(db, lease, {}, in_transaction=False)
    except LeaseLost:
        _take_back_if_over(db, job["_id"])
        raise
    frozen = db.leads.count_documents({"activationId": job["_id"]})
    if frozen < job["counts"]["total"]:
        _note_left_out(db, job, query)
    skipped = db.job_errors.count_documents({"jobId": job["_id"]})
    counts = {**job["counts"], "total": frozen + skipped, "skipped": skipped}
    # The leads and the rows of `job_errors` say from now on what was selected; a list of ids would only weigh.
    kept = {"filter": job["selection"]["filter"]} if "filter" in job["selection"] else {}
    selected = {"$literal": {**kept, "count": frozen + skipped}}
    return {"counts": counts, "phase": Phase.WORKING, "selection": selected}


def _take_back_if_over(db: Db, job_id: str) -> None:
    """Others have frozen this session while this process stood still. What it marked after they had ended would be
    held for ever."""
    if not db.jobs.find_one({"_id": job_id, "phase": {"$in": [Phase.SELECTING, Phase.WORKING]}}):
        held = {"activationId": job_id, "status": LeadStatus.ACTIVATING}
        db.leads.update_many(held, AS_BEFORE)


def _note_left_out(db: Db, job: Document, query: Document) -> None:
    """Leads that are active already, that another session holds, or that are gone."""
    active = {"$eq": ["$status", LeadStatus.ACTIVE]}
    left_out: Document = {"activationId": {"$ne": job["_id"]}}
    if "leadIds" not in job["selection"]:
        # A free one has come to match since the others were marked, and is not meant.
        left_out["status"] = {"$in": [LeadStatus.ACTIVATING, LeadStatus.ACTIVE]}
    db.leads.aggregate(
        [
            {"$match": {"$and": [query, left_out]}},
            {
                "$project": {
                    "_id": {"$concat": [job["_id"], ":", {"$toString": "$_id"}]},
                    "jobId": job["_id"],
                    "leadId": "$_id",
                    "email": "$email",
                    "state": ItemState.SKIPPED.value,
                    "reason": {
                        "$cond": [active, Reason.ALREADY_ACTIVE, Reason.HELD_BY_ANOTHER_SESSION]
                    },
                    "at": "$$NOW",
                }
            },
            {"$merge": {"into": "job_errors", "whenMatched": "keepExisting"}},
        ]
    )
    _note_missing(db, job)


def _note_missing(db: Db, job: Document) -> None:
    wanted = job["selection"].get("leadIds", [])
    there = {lead["_id"] for lead in db.leads.find({"_id": {"$in": wanted}}, {"_id": 1})}
    rows = [
        jobs.item_error(job["_id"], lead_id, "", ItemState.SKIPPED, Reason.NOT_FOUND)
        for lead_id in wanted
        if lead_id not in there
    ]
    if rows:
        db.job_errors.insert_many(rows)
