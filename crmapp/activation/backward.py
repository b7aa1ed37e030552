"""A cancelled activation gives back the leads that it has not reached; one that is undone takes back its users too."""

from __future__ import annotations

from bson import ObjectId
from pymongo import ReplaceOne
from pymongo.client_session import ClientSession

from crmapp.accounts.users import Role, UserStatus
from crmapp.activation.start import AS_BEFORE, forget_selection
from crmapp.activation.verdicts import Reason
from crmapp.clock import now
from crmapp.database import Db, Document
from crmapp.jobs import jobs, leases
from crmapp.jobs.control import HOLD
from crmapp.jobs.jobs import ItemState, Phase
from crmapp.jobs.leases import Lease
from crmapp.leads.leads import LeadStatus
from crmapp.mailqueue import queue
from crmapp.mailqueue.queue import MailStatus

CHUNK = 1000
FIRST_ID = ObjectId(b"\0" * 12)


# Whom somebody has made more than a user since, they stay.
UNUSED = {"status": UserStatus.INVITED, "role": Role.USER}


class Touched(Exception):
    """Since a chunk was looked at, somebody acted on one of its users: nothing was written, and it is looked at
    again."""


class Backward:
    """One activation on its way back, in the hands of this process."""

    def __init__(self, db: Db, lease: Lease) -> None:
        self._db = db
        self._lease = lease
        self._job_id = lease.job_id
        self._undoes = lease.job["phase"] == Phase.UNDOING
        self._held = False
        self._after = FIRST_ID

    def step(self) -> bool:
        """Give back some leads, or take back some users, or finish. False once no runner is needed any more."""
        if self._undoes and not self._held:
            leases.write(self._db, self._lease, {}, in_transaction=False)
            queue.hold_session(self._db, self._job_id, now() + HOLD)
            self._held = True
        if self._give_back() or (self._undoes and self._take_back()):
            return True
        self._finish()
        return False

    def _give_back(self) -> bool:
        """Some of the leads that were not reached become what they were. Says whether there were any."""
        held = {"activationId": self._job_id, "status": LeadStatus.ACTIVATING}
        some = self._db.leads.find(held, {"_id": 1}).limit(CHUNK)
        ids = [lead["_id"] for lead in some]
        if ids:
            leases.write(self._db, self._lease, {}, in_transaction=False)
            self._db.leads.update_many({**held, "_id": {"$in": ids}}, AS_BEFORE)
        return bool(ids)

    def _take_back(self) -> bool:
        """The next leads that became users, or failed, become what they were. Says whether there were any."""
        done = {
            "activationId": self._job_id,
            "_id": {"$gt": self._after},
            "status": {"$in": [LeadStatus.ACTIVE, LeadStatus.FAILED]},
        }
        leads = list(
            self._db.leads.find(done, {"status": 1, "email": 1}).sort("_id", 1).limit(CHUNK)
        )
        if not leads:
            return False
        try:
            with self._lease.session.start_transaction():
                self._write(leads, self._lease.session)
        except Touched:
            return True
        self._after = leads[-1]["_id"]
        return True

    def _write(self, leads: list[Document], session: ClientSession) -> None:
        active = {lead["_id"]: lead for lead in leads if lead["status"] == LeadStatus.ACTIVE}
        failed = [lead["_id"] for lead in leads if lead["status"] == LeadStatus.FAILED]
        kept = self._acted_on(list(active), session)
        gone = [user_id for user_id in active if user_id not in kept]
        self._remove_users(gone, session)
        rows = [f"{self._job_id}:{lead_id}" for lead_id in failed]
        self._db.job_errors.delete_many({"_id": {"$in": rows}}, session=session)
        self._note_kept([active[user_id] for user_id in kept], kept, session)
        back = {"_id": {"$in": [*gone, *failed]}, "activationId": self._job_id}
        self._db.leads.update_many(back, AS_BEFORE, session=session)
        changes = {
            "counts.activated": {"$subtract": ["$counts.activated", len(gone)]},
            "counts.failed": {"$subtract": ["$counts.failed", len(failed)]},
            "undo.removed": {"$add": [{"$ifNull": ["$undo.removed", 0]}, len(gone)]},
        }
        leases.write(self._db, self._lease, changes)

    def _acted_on(self, user_ids: list[ObjectId], session: ClientSession) -> dict[ObjectId, Reason]:
        """Those of the users whom somebody has acted on, and how."""
        theirs = {"userId": {"$in": user_ids}}
        invited = {"_id": {"$in": user_ids}, **UNUSED}
        unused = {user["_id"] for user in self._db.users.find(invited, {"_id": 1}, session=session)}
        out = {**self._waiting(user_ids), "status": MailStatus.PROCESSING}
        # Whatever a mail's timeline tells, somebody has done something with it.
        touched = {
            mail["userId"]
            for collection, query in (
                (self._db.pending_emails, out),
                (self._db.failed_emails, theirs),
                (self._db.events, theirs),
            )
            for mail in collection.find(query, {"userId": 1}, session=session)
        }
        used = {user_id: Reason.IN_USE for user_id in user_ids if user_id not in unused}
        return dict.fromkeys(touched, Reason.INVITATION_SENT) | used

    def _remove_users(self, user_ids: list[ObjectId], session: ClientSession) -> None:
        unused = {"_id": {"$in": user_ids}, **UNUSED}
        removed = self._db.users.delete_many(unused, session=session)
        if removed.deleted_count != len(user_ids):
            raise Touched
        self._db.pending_emails.delete_many(self._waiting(user_ids), session=session)

    def _waiting(self, user_ids: list[ObjectId]) -> Document:
        """The mails of users that are in the queue; the sessions are there for the index."""
        return {"sessionId": {"$in": [self._job_id, None]}, "userId": {"$in": user_ids}}

    def _note_kept(
        self, leads: list[Document], kept: dict[ObjectId, Reason], session: ClientSession
    ) -> None:
        rows = [
            jobs.item_error(
                self._job_id, lead["_id"], lead["email"], ItemState.KEPT, kept[lead["_id"]]
            )
            for lead in leads
        ]
        if rows:
            writes = [ReplaceOne({"_id": row["_id"]}, row, upsert=True) for row in rows]
            self._db.job_errors.bulk_write(writes, session=session)

    def _finish(self) -> None:
        changes: Document = {}
        if self._undoes:
            queue.hold_session(self._db, self._job_id, now())
            kept = {"jobId": self._job_id, "state": ItemState.KEPT}
            left = self._db.job_errors.count_documents(kept)
            changes = {"undo": {"removed": {"$ifNull": ["$undo.removed", 0]}, "left": left}}
        if self._lease.job["counts"]["skipped"] == 0:
            # Rows of a freeze that was cut short were never counted.
            skipped = {"jobId": self._job_id, "state": ItemState.SKIPPED}
            self._db.job_errors.delete_many(skipped)
        forget_selection(self._db, self._lease.job)
        leases.finish(self._db, self._lease, changes)
