"""Undoing an import: a job of its own, over the leads that nobody has touched since.

Leads that the import created are removed; those that it changed get their values back, which its events have kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from bson import ObjectId
from pymongo import UpdateOne
from pymongo.client_session import ClientSession

from crmapp.accounts.users import User
from crmapp.clock import now
from crmapp.database import Db, Document
from crmapp.imports.imports import STARTED, UPLOADED
from crmapp.imports.run import FAST_COMMIT
from crmapp.jobs import jobs, leases
from crmapp.jobs.jobs import ItemState, JobStatus, Phase
from crmapp.jobs.leases import Lease
from crmapp.leads import changes, words
from crmapp.leads.fields import STAGES
from crmapp.leads.importing import SEARCHED, event_id
from crmapp.leads.leads import LeadStatus
from crmapp.requests import BadInput

TYPE = "lead_import_undo"
COUNTS = ("removed", "restored", "skipped", "failed")
CHUNK = 500
CONFLICT = 409
CREATED, CHANGED = "created", "changed"


class Reason(StrEnum):
    CHANGED_SINCE = "changed_since"
    HAS_ACCOUNT = "has_account"
    HELD_BY_ACTIVATION = "held_by_activation"
    HAS_JOURNAL = "has_journal"
    NOT_FOUND = "not_found"


LABELS: dict[str, str] = {
    Reason.CHANGED_SINCE: "was changed since",
    Reason.HAS_ACCOUNT: "has become a user",
    Reason.HELD_BY_ACTIVATION: "is held by an activation",
    Reason.HAS_JOURNAL: "has journal entries",
    Reason.NOT_FOUND: "was deleted since",
}


def start(db: Db, user: User, brought: Document) -> Document:
    """Record the job that undoes an import, ready for a runner. Returns it; the one that is under way, where there is
    one. Raises BadInput (409) where there is nothing to be undone."""
    why_not = _why_not(db, brought)
    if why_not:
        raise BadInput(why_not, CONFLICT)
    events = db.events.count_documents({"_id": _events_of(brought["_id"])})
    total = db.leads.count_documents({"importId": brought["_id"]}) + events
    if not total:
        raise BadInput("Nothing that this import wrote is left to be undone.", CONFLICT)
    new = jobs.new_job(
        jobs.new_id(TYPE),
        TYPE,
        user.key,
        user.name,
        {"import": brought["_id"], "file": brought["file"]},
        total,
        counts=COUNTS,
        exclusive=f"undo/{brought['_id']}",
        retriable=False,
        phase=Phase.WORKING,
        cursor={"part": CREATED, "after": None},
        importedAt=brought["importedAt"],
        undoneAt=now(),
        by=user.who,
    )
    job, _ = jobs.record(db, new)
    db.imports.update_one({"_id": brought["_id"]}, {"$set": {"undoJobId": job["_id"]}})
    return job


def _why_not(db: Db, brought: Document) -> str | None:
    if brought["state"] == UPLOADED:
        return "This file was not imported yet, so there is nothing to undo."
    if brought["state"] == STARTED:
        return "Wait until the import has ended, or cancel it; then undo it."
    if brought.get("undone"):
        return "This import was undone already."
    return None


def _events_of(job_id: str) -> Document:
    """Ids of events begin with their job's, so that their index finds them."""
    return {"$gte": f"{job_id}:", "$lt": f"{job_id};"}


class UndoRun:
    """One undo in the hands of this process."""

    def __init__(self, db: Db, lease: Lease) -> None:
        self._db = db
        self._lease = lease
        self._session: ClientSession = lease.session
        self._job = lease.job
        self._import_id = lease.job["selection"]["import"]

    def step(self) -> bool:
        """Take back some leads, or end. False once no runner is needed any more. Raises LeaseLost."""
        if self._job["phase"] == Phase.RETURNING:
            leases.finish(self._db, self._lease)
            return False
        with self._session.start_transaction(write_concern=FAST_COMMIT):
            goes_on = self._work()
        if not goes_on:
            self._end()
        return goes_on

    def _work(self) -> bool:
        """The next chunk. False where there is none."""
        job = self._db.jobs.find_one(
            {"_id": self._lease.job_id}, {"cursor": 1}, session=self._session
        )
        cursor = job["cursor"] if job else self._job["cursor"]
        if cursor["part"] == CREATED:
            return self._remove(cursor["after"])
        return self._restore(cursor["after"])

    def _remove(self, after: ObjectId | None) -> bool:
        created: Document = {"importId": self._import_id}
        if after:
            created["_id"] = {"$gt": after}
        found = self._db.leads.find(created, {"words": 0}, session=self._session)
        leads = list(found.sort("_id", 1).limit(CHUNK))
        if not leads:
            self._write({"part": CHANGED, "after": None})
            return True
        ids = [lead["_id"] for lead in leads]
        noted = {"leadId": {"$in": ids}}
        in_journal = set(self._db.journal_entries.distinct("leadId", noted, session=self._session))
        kept = {}
        for lead in leads:
            if reason := self._why_kept(lead, in_journal):
                kept[lead["_id"]] = (lead, reason)
        gone = [lead for lead in leads if lead["_id"] not in kept]
        if gone:
            removed = {"_id": {"$in": [lead["_id"] for lead in gone]}}
            self._db.leads.delete_many(removed, session=self._session)
            deleted = [
                self._event(changes.deleted(lead, self._job["by"], self._lease.job_id))
                for lead in gone
            ]
            self._db.events.insert_many(deleted, session=self._session)
        self._note(kept.values())
        self._write(
            {"part": CREATED, "after": leads[-1]["_id"]}, removed=len(gone), skipped=len(kept)
        )
        return True

    def _why_kept(self, lead: Document, in_journal: set[Any]) -> Reason | None:
        if reason := self._why_not(lead):
            return reason
        if lead.get("userId"):
            return Reason.HAS_ACCOUNT
        if lead["status"] not in STAGES:
            return Reason.CHANGED_SINCE
        return Reason.HAS_JOURNAL if lead["_id"] in in_journal else None

    def _why_not(self, lead: Document) -> Reason | None:
        if lead.get("status") == LeadStatus.ACTIVATING:
            return Reason.HELD_BY_ACTIVATION
        if lead.get("updatedAt") != self._job["importedAt"]:
            return Reason.CHANGED_SINCE
        return None

    def _restore(self, after: str | None) -> bool:
        ids = _events_of(self._import_id)
        if after:
            ids = {"$gt": after, "$lt": ids["$lt"]}
        found = self._db.events.find({"_id": ids}, session=self._session)
        events = list(found.sort("_id", 1).limit(CHUNK))
        if not events:
            return False
        some = {"_id": {"$in": [event["leadId"] for event in events]}}
        leads = {lead["_id"]: lead for lead in self._db.leads.find(some, session=self._session)}
        writes, told, kept = [], [], []
        for event in events:
            lead = leads.get(event["leadId"])
            if lead is None:
                kept.append(({"_id": event["leadId"], "email": ""}, Reason.NOT_FOUND))
            elif reason := self._why_not(lead):
                kept.append((lead, reason))
            else:
                back = {name: before for name, (before, _) in event["changes"].items()}
                writes.append(self._as_before(lead, back))
                told.append(self._told(lead, back))
        if writes:
            self._db.leads.bulk_write(writes, session=self._session)
            self._db.events.insert_many(told, session=self._session)
        self._note(kept)
        self._write(
            {"part": CHANGED, "after": events[-1]["_id"]}, restored=len(writes), skipped=len(kept)
        )
        return True

    def _as_before(self, lead: Document, back: Document) -> UpdateOne:
        found_by = {"words": words.of({**lead, **back})} if SEARCHED & back.keys() else {}
        return UpdateOne(
            {"_id": lead["_id"]}, {"$set": {**back, **found_by, "updatedAt": self._job["undoneAt"]}}
        )

    def _told(self, lead: Document, back: Document) -> Document:
        different = changes.between(lead, back)
        job_id, by = self._lease.job_id, self._job["by"]
        return self._event(changes.event(lead["_id"], by, "undo_import", different, job_id))

    def _event(self, event: Document) -> Document:
        return {"_id": event_id(self._lease.job_id, event["leadId"]), **event}

    def _note(self, kept: Iterable[tuple[Document, Reason]]) -> None:
        rows = [
            jobs.item_error(
                self._lease.job_id, lead["_id"], lead["email"], ItemState.SKIPPED, reason
            )
            for lead, reason in kept
        ]
        if rows:
            self._db.job_errors.insert_many(rows, session=self._session)

    def _write(self, cursor: Document, **counts: int) -> None:
        raised = {
            f"counts.{name}": {"$add": [f"$counts.{name}", count]}
            for name, count in counts.items()
            if count
        }
        leases.write(self._db, self._lease, {**raised, "cursor": {"$literal": cursor}})

    def _end(self) -> None:
        """What was deleted by hand meanwhile is no item any more."""
        leases.write(self._db, self._lease, {}, in_transaction=False)
        self._db.imports.update_one({"_id": self._import_id}, {"$set": {"undone": True}})
        done = {"$add": [f"$counts.{name}" for name in COUNTS]}
        leases.finish(self._db, self._lease, {"counts.total": done})


def may_be_undone(brought: Document) -> bool:
    """As far as its record tells."""
    counts = brought.get("counts", {})
    wrote = counts.get("imported", 0) + counts.get("updated", 0)
    return brought["state"] not in (UPLOADED, STARTED) and not brought.get("undone") and wrote > 0


def is_under_way(job: Document | None) -> bool:
    return (
        job is not None
        and job["phase"] not in (Phase.OVER, Phase.MAILING)
        and job["status"] != JobStatus.CANCELLED
    )
