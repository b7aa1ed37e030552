"""Starting an activation: the job is recorded, and its leads are frozen by marking them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bson import ObjectId
from pymongo.errors import OperationFailure

from crmapp.accounts.users import User
from crmapp.activation.selection import nothing_in, queries
from crmapp.activation.verdicts import Reason
from crmapp.database import Db, Document
from crmapp.jobs import jobs, leases
from crmapp.jobs.jobs import ItemState, NotYours, Phase
from crmapp.jobs.leases import Lease, LeaseLost
from crmapp.leads import selections
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
        selection, total = _counted(db, user, selection)
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


def _counted(db: Db, user: User, selection: Document) -> tuple[Document, int]:
    """The selection as the job keeps it until it is frozen, and how many leads are in it. Raises BadInput."""
    if "selectionId" in selection:
        frozen = selections.find(db, user, selection["selectionId"])
        filter = {"filter": frozen["filter"]} if "filter" in frozen else {}
        return {**selection, **filter}, frozen["total"]
    found = sum(db.leads.count_documents(query) for query in queries(db, selection))
    if not found:
        raise BadInput(nothing_in(selection), 409 if "failedOf" in selection else 422)
    return selection, len(selection["leadIds"]) if "leadIds" in selection else found


def _freeze_now(db: Db, lease: Lease) -> Document:
    """Freeze at once, in the request, so that what was selected is what the page showed. Should this process die in
    the middle, a runner finishes it."""
    if selection_id := lease.job["selection"].get("selectionId"):
        selections.keep(db, selection_id)
    try:
        changes = freeze(db, lease)
    except LeaseLost:
        return lease.job
    leases.give_back(db, lease, changes)
    forget_selection(db, lease.job)
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
    lease = replace(lease, seconds=lease.seconds + job["counts"]["total"] // SLOWEST_FREEZE)
    # Whoever was stopped for a while must not mark leads of a session that others have gone on with.
    leases.write(db, lease, {}, in_transaction=False)
    # A lead that a killed freeze noted as another session's may be free by now.
    db.job_errors.delete_many({"jobId": job["_id"]})
    for query in _wanted(db, job):
        _mark(db, lease, query)
    frozen = db.leads.count_documents({"activationId": job["_id"]})
    if frozen < job["counts"]["total"]:
        for query in _wanted(db, job):
            _note_left_out(db, job, query)
    skipped = db.job_errors.count_documents({"jobId": job["_id"]})
    counts = {**job["counts"], "total": frozen + skipped, "skipped": skipped}
    # The leads and the rows of `job_errors` say from now on what was selected; a list of ids would only weigh.
    kept = {"filter": job["selection"]["filter"]} if "filter" in job["selection"] else {}
    selected = {"$literal": {**kept, "count": frozen + skipped}}
    return {"counts": counts, "phase": Phase.WORKING, "selection": selected}


def _wanted(db: Db, job: Document) -> Iterator[Document]:
    for query in queries(db, job["selection"]):
        if _names_leads(job["selection"]):
            yield query
        else:
            # A repeated freeze takes no lead that came after the first.
            yield {"$and": [query, {"createdAt": {"$not": {"$gt": job["createdAt"]}}}]}


def _names_leads(selection: Document) -> bool:
    """Whether it says which leads it is about, so that one that is not there is told of."""
    return "leadIds" in selection or "selectionId" in selection


def _mark(db: Db, lease: Lease, query: Document) -> None:
    """Raises LeaseLost."""
    free = {"status": {"$nin": [LeadStatus.ACTIVATING, LeadStatus.ACTIVE]}}
    marks = {
        "previousStatus": "$status",
        "previousActivationId": {"$ifNull": ["$activationId", "$$REMOVE"]},
        "status": LeadStatus.ACTIVATING,
        "activationId": lease.job_id,
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
        _take_back_if_over(db, lease.job_id)
        raise


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
    if not _names_leads(job["selection"]):
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
    if _names_leads(job["selection"]):
        _note_missing(db, job, query["_id"]["$in"])


def _note_missing(db: Db, job: Document, wanted: list[ObjectId]) -> None:
    there = {lead["_id"] for lead in db.leads.find({"_id": {"$in": wanted}}, {"_id": 1})}
    rows = [
        jobs.item_error(job["_id"], lead_id, "", ItemState.SKIPPED, Reason.NOT_FOUND)
        for lead_id in wanted
        if lead_id not in there
    ]
    if rows:
        db.job_errors.insert_many(rows)


def forget_selection(db: Db, job: Document) -> None:
    """Let the set of leads go from which `job` was started, unless it is still to be frozen."""
    selection_id = job["selection"].get("selectionId")
    needed = {"_id": job["_id"], "phase": Phase.SELECTING}
    if selection_id and not db.jobs.find_one(needed, {"_id": 1}):
        selections.drop(db, selection_id, job["_id"])
