"""The step of a job over many leads: one part of the set in one transaction, done or not done."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import bson
from bson import ObjectId
from pymongo import WriteConcern
from pymongo.client_session import ClientSession

from crmapp.bulk.actions import Action
from crmapp.bulk.verdicts import Reason, Verdict
from crmapp.clock import now
from crmapp.database import Db, Document
from crmapp.jobs import jobs, leases
from crmapp.jobs.jobs import JobFault, Phase
from crmapp.jobs.leases import Lease, LeaseLost
from crmapp.leads import changes, selections

# Whatever announces a chunk is a majority write, which waits for it.
FAST_COMMIT = WriteConcern(w=1)
GONE = "The rest of its set of leads is kept no longer. Cancel it, then select the leads again."


class BulkRun:
    """One job in the hands of this process."""

    def __init__(self, db: Db, lease: Lease, action: Action) -> None:
        self._db = db
        self._lease = lease
        self._action = action
        self._params = lease.job["params"]
        self._limits = lease.job.get("within", {})
        self._selection_id = lease.job["selection"]["selectionId"]
        self._n = 0
        selections.keep(db, self._selection_id)

    def step(self) -> bool:
        """Go through one part of the set, or end. False once no runner is needed any more. Raises LeaseLost, and
        JobFault where the rest of the set is gone."""
        backward = self._lease.job["phase"] == Phase.RETURNING
        self._n = self._cursor()
        ids = None if backward else selections.part(self._db, self._selection_id, self._n)
        if ids is None:
            return self._end(backward)
        session = self._lease.session
        with session.start_transaction(write_concern=FAST_COMMIT):
            if self._cursor(session) == self._n:
                self._work(ids, session)
        return True

    def _cursor(self, session: ClientSession | None = None) -> int:
        """Read anew each time: who loses the database during a commit cannot know whether it was done, and a primary
        that is lost takes with it what no other node has got yet."""
        mine = {"_id": self._lease.job_id, "lease.token": self._lease.token}
        job = self._db.jobs.find_one(mine, {"cursor": 1}, session=session)
        if job is None:
            raise LeaseLost(self._lease.job_id)
        return int(job["cursor"])

    def _end(self, backward: bool) -> bool:
        """The cursor is past the last part, so whoever comes here again finds none either."""
        if not backward and self._n * selections.PART < self._lease.job["counts"]["total"]:
            raise JobFault(GONE)
        leases.write(self._db, self._lease, {}, in_transaction=False)
        selections.drop(self._db, self._selection_id, self._lease.job_id)
        leases.finish(self._db, self._lease)
        return False

    def _work(self, ids: list[ObjectId], session: ClientSession) -> None:
        """Read, judged and written in one transaction, in which nobody else can change the same leads."""
        shown = dict.fromkeys((*self._action.fields, "name", "email"), 1)
        theirs = {**self._limits, "_id": {"$in": ids}}
        found = self._db.leads.find(theirs, shown, session=session)
        leads = {lead["_id"]: lead for lead in found}
        verdicts = {
            lead_id: self._action.judge(lead, self._params) for lead_id, lead in leads.items()
        }
        missing = Verdict({}, Reason.NOT_FOUND)
        verdicts |= {lead_id: missing for lead_id in ids if lead_id not in leads}
        self._change(leads, verdicts, session)
        self._delete([leads[key] for key, verdict in verdicts.items() if verdict.delete], session)
        self._note_left(leads, verdicts, session)
        counts = _counted(verdicts)
        raised = {f"counts.{name}": {"$add": [f"$counts.{name}", n]} for name, n in counts.items()}
        leases.write(self._db, self._lease, {**raised, "cursor": self._n + 1})

    def _change(
        self,
        leads: dict[ObjectId, Document],
        verdicts: dict[ObjectId, Verdict],
        session: ClientSession,
    ) -> None:
        """Leads that are to become the same are changed by one write."""
        alike: dict[bytes, list[ObjectId]] = defaultdict(list)
        events = []
        for lead_id, verdict in verdicts.items():
            if verdict.changes:
                alike[bson.encode(verdict.changes)].append(lead_id)
                changed = changes.between(leads[lead_id], verdict.changes)
                events.append(self._event(lead_id, changed))
        for encoded, ids in alike.items():
            values = {**bson.decode(encoded), "updatedAt": now()}
            self._db.leads.update_many({"_id": {"$in": ids}}, {"$set": values}, session=session)
        if events:
            self._db.events.insert_many(events, session=session)

    def _event(self, lead_id: ObjectId, changed: dict[str, list[Any]]) -> Document:
        return changes.event(lead_id, self._by, self._action.name, changed, self._lease.job_id)

    def _delete(self, leads: list[Document], session: ClientSession) -> None:
        if leads:
            ids = [lead["_id"] for lead in leads]
            self._db.leads.delete_many({"_id": {"$in": ids}}, session=session)
            self._db.journal_entries.delete_many({"leadId": {"$in": ids}}, session=session)
            events = [changes.deleted(lead, self._by, self._lease.job_id) for lead in leads]
            self._db.events.insert_many(events, session=session)

    def _note_left(
        self,
        leads: dict[ObjectId, Document],
        verdicts: dict[ObjectId, Verdict],
        session: ClientSession,
    ) -> None:
        rows = [
            jobs.item_error(
                self._lease.job_id,
                lead_id,
                str(leads.get(lead_id, {}).get("email") or ""),
                verdict.reason.state,
                verdict.reason,
            )
            for lead_id, verdict in verdicts.items()
            if verdict.reason
        ]
        if rows:
            self._db.job_errors.insert_many(rows, session=session)

    @property
    def _by(self) -> Document:
        job = self._lease.job
        return {"id": job["userId"], "name": job["userName"]}


def _counted(verdicts: dict[ObjectId, Verdict]) -> dict[str, int]:
    counts: dict[str, int] = defaultdict(int)
    for verdict in verdicts.values():
        if verdict.reason:
            counts[verdict.reason.state] += 1
        else:
            counts["changed" if verdict.changes or verdict.delete else "unchanged"] += 1
    return counts
