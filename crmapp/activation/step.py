"""The step that turns one chunk of leads into users, in one transaction: a kill leaves it done or not done."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from bson import ObjectId
from pymongo.client_session import ClientSession
from pymongo.errors import DuplicateKeyError

from crmapp.accounts import invitations
from crmapp.accounts.users import Role, new_user
from crmapp.activation import start
from crmapp.activation.verdicts import Reason, address_of, taken_addresses, verdict
from crmapp.clock import now
from crmapp.database import Db, Document
from crmapp.jobs import jobs, leases
from crmapp.jobs.jobs import ItemState, Phase
from crmapp.jobs.leases import Lease, LeaseLost
from crmapp.leads.leads import LeadStatus
from crmapp.mailqueue import queue

SMALLEST_CHUNK = 50
LARGEST_CHUNK = 1000
# What one chunk may cost of the process's time, which the streams share.
CHUNK_CPU_SECONDS = 0.010
FIRST_ID = ObjectId(b"\0" * 12)


def next_size(size: int, leads: int, cpu_seconds: float) -> int:
    """The size of the next chunk after one of `leads` leads that cost so much."""
    if leads == 0 or cpu_seconds <= 0:
        return size
    fitting = int(leads * CHUNK_CPU_SECONDS / cpu_seconds)
    return max(SMALLEST_CHUNK, min(fitting, 2 * size, LARGEST_CHUNK))


class ActivationRun:
    """One activation in the hands of this process. `mail_domain` goes into Message-IDs; `queued` is called when
    mails were committed to the queue."""

    def __init__(self, db: Db, lease: Lease, mail_domain: str, queued: Callable[[], None]) -> None:
        self._db = db
        self._lease = lease
        self._mail_domain = mail_domain
        self._queued = queued
        self._phase = lease.job["phase"]
        self._size = SMALLEST_CHUNK
        # Leads are taken in the order of their ids, so those up to here are done.
        self._after = FIRST_ID

    def step(self) -> bool:
        """Freeze the selection, or activate one chunk, or finish. False once no runner is needed any more."""
        if self._phase == Phase.SELECTING:
            changes = start.freeze(self._db, self._lease.job)
            leases.write(self._db, self._lease, changes, in_transaction=False)
            self._phase = changes["phase"]
            return True
        began = time.thread_time()
        leads = self._next_leads()
        if not leads:
            return not self._finish()
        chunk = Chunk(self._lease.job, leads, self._mail_domain)
        chunk.judge(self._db)
        try:
            with self._lease.session.start_transaction():
                chunk.write(self._db, self._lease)
        except DuplicateKeyError:
            # A user of such an address has appeared since the leads were judged: they are judged again.
            return True
        self._after = leads[-1]["_id"]
        self._size = next_size(self._size, len(leads), time.thread_time() - began)
        if chunk.mails:
            self._queued()
        return True

    def _next_leads(self) -> list[Document]:
        return list(
            self._db.leads.find(
                {
                    "activationId": self._lease.job_id,
                    "_id": {"$gt": self._after},
                    "status": LeadStatus.ACTIVATING,
                },
                {"name": 1, "email": 1, "previousStatus": 1, "userId": 1},
            )
            .sort("_id", 1)
            .hint([("activationId", 1), ("_id", 1)])
            .limit(self._size)
        )

    def _finish(self) -> bool:
        """Hand over to the mail queue. Looks for leads from the first one on before, should one have been missed."""
        if self._after != FIRST_ID:
            self._after = FIRST_ID
            return False
        leases.give_back(self._db, self._lease, _FINISHED)
        return True


class Chunk:
    """Some leads of one session, what is to become of each, and the documents that make it so."""

    def __init__(self, job: Document, leads: list[Document], mail_domain: str) -> None:
        self._job = job
        self._leads = leads
        self._mail_domain = mail_domain
        self._activated: list[Document] = []
        self._errors: list[Document] = []
        self._left_out: dict[ItemState, list[ObjectId]] = {state: [] for state in ItemState}
        self.users: list[Document] = []
        self.mails: list[Document] = []

    def judge(self, db: Db) -> None:
        """Sort the leads into those that become users and those that do not."""
        addresses = [address_of(lead) for lead in self._leads]
        taken = taken_addresses(db, [address for address in addresses if address])
        seen: set[str] = set()
        time = now()
        for lead, address in zip(self._leads, addresses, strict=True):
            reason = (
                Reason.ALREADY_ACTIVE
                if lead.get("userId")
                else verdict(address, taken, seen, self._job["_id"])
            )
            if reason or not address:
                self._leave_out(lead, reason or Reason.INVALID_EMAIL)
            else:
                seen.add(address)
                self._activate(lead, address, time)

    def _leave_out(self, lead: Document, reason: Reason) -> None:
        self._left_out[reason.state].append(lead["_id"])
        self._errors.append(
            jobs.item_error(
                self._job["_id"], lead["_id"], str(lead.get("email", "")), reason.state, reason
            )
        )

    def _activate(self, lead: Document, address: str, time: datetime) -> None:
        # A lead becomes one user, whose id is its own: a second one cannot come into being.
        user = new_user(
            address,
            str(lead.get("name") or ""),
            Role.USER,
            _id=lead["_id"],
            leadId=lead["_id"],
            activationId=self._job["_id"],
            invitedBy=self._job["userId"],
            createdAt=time,
        )
        self.users.append(user)
        self.mails.append(
            queue.new_mail(
                invitations.TEMPLATE,
                user["_id"],
                address,
                self._job["_id"],
                self._mail_domain,
                time,
            )
        )

    def write(self, db: Db, lease: Lease) -> None:
        """Everything, in the lease's open transaction. Raises LeaseLost, which undoes it."""
        if self.users:
            db.users.insert_many(self.users, session=lease.session)
            queue.enqueue(db, self.mails, lease.session)
            self._move(db, lease.session, [user["_id"] for user in self.users], _TO_ACTIVE)
        if self._errors:
            db.job_errors.insert_many(self._errors, session=lease.session)
            self._move(db, lease.session, self._left_out[ItemState.SKIPPED], _BACK)
            self._move(db, lease.session, self._left_out[ItemState.FAILED], _TO_FAILED)
        leases.write(db, lease, self._raised_counts())

    def _move(
        self, db: Db, session: ClientSession, ids: list[ObjectId], changes: list[Document]
    ) -> None:
        if not ids:
            return
        mine = {
            "_id": {"$in": ids},
            "activationId": self._job["_id"],
            "status": LeadStatus.ACTIVATING,
        }
        moved = db.leads.update_many(mine, changes, session=session)
        if moved.modified_count != len(ids):
            raise LeaseLost(f"{len(ids) - moved.modified_count} leads were moved by somebody else")

    def _raised_counts(self) -> Document:
        raised: dict[str, Any] = {
            "activated": len(self.users),
            "skipped": len(self._left_out[ItemState.SKIPPED]),
            "failed": len(self._left_out[ItemState.FAILED]),
        }
        return {
            f"counts.{name}": {"$add": [f"$counts.{name}", count]}
            for name, count in raised.items()
            if count
        }


_DONE = {"$add": ["$counts.activated", "$counts.skipped", "$counts.failed"]}
# A lead that was deleted in the meantime is no item of the job any more.
_FINISHED: Document = {
    "phase": Phase.MAILING,
    "workedAt": "$$NOW",
    "counts.total": _DONE,
    "counts.vanished": {"$subtract": ["$counts.total", _DONE]},
}
_TO_ACTIVE: list[Document] = [
    {
        "$set": {
            "status": LeadStatus.ACTIVE,
            "userId": "$_id",
            "activatedAt": "$$NOW",
        }
    },
    {"$unset": "previousStatus"},
]
_TO_FAILED: list[Document] = [
    {"$set": {"status": LeadStatus.FAILED}},
    {"$unset": "previousStatus"},
]
_BACK: list[Document] = [
    {"$set": {"status": "$previousStatus"}},
    {"$unset": "previousStatus"},
]
