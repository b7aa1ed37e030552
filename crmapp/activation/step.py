"""The step that turns one chunk of leads into users, in one transaction: a kill leaves it done or not done."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from time import thread_time
from typing import Any

from bson import ObjectId
from pymongo import ReplaceOne, WriteConcern
from pymongo.client_session import ClientSession
from pymongo.errors import BulkWriteError

from crmapp.accounts.users import Role, new_user
from crmapp.activation import start
from crmapp.activation.backward import FIRST_ID, Backward
from crmapp.activation.verdicts import Reason, address_of, taken_by_users, verdict
from crmapp.clock import now
from crmapp.database import DUPLICATE_KEY, Db, Document
from crmapp.invitations.letter import TEMPLATE
from crmapp.jobs import jobs, leases
from crmapp.jobs.jobs import BACKWARD, ItemState, Phase
from crmapp.jobs.leases import Lease
from crmapp.leads.leads import LeadStatus
from crmapp.mailqueue import queue

SMALLEST_CHUNK = 50
LARGEST_CHUNK = 1000
# Making a chunk's documents is its longest stretch without a pause for others, such as the streams; with what
# encoding and sending them takes, a chunk then costs about 10 ms of CPU.
STRETCH_SECONDS = 0.004
# What a chunk wrote is announced by a projection, and its mail is sent after a claim. Both are majority writes, which
# wait for all that was written before them, so the chunk itself need not.
FAST_COMMIT = WriteConcern(w=1)
# An undo in the last moment still finds every invitation here.
UNDO_MARGIN = timedelta(seconds=2)


def next_size(size: int, leads: int, seconds: float) -> int:
    """The size of the next chunk after one of `leads` leads whose documents took `seconds` to make."""
    if leads == 0 or seconds <= 0:
        return size
    fitting = int(leads * STRETCH_SECONDS / seconds)
    return max(SMALLEST_CHUNK, min(fitting, 2 * size, LARGEST_CHUNK))


class Outdated(Exception):
    """Since a chunk was judged, one of its addresses became a user's or one of its leads was deleted: nothing was
    written, and it is to be judged again."""


class ActivationRun:
    """One activation in the hands of this process. `mail_domain` goes into Message-IDs; `queued` is called when
    mails were committed to the queue."""

    def __init__(self, db: Db, lease: Lease, mail_domain: str, queued: Callable[[], None]) -> None:
        self._db = db
        self._lease = lease
        self._mail_domain = mail_domain
        self._queued = queued
        self._phase = lease.job["phase"]
        self._backward = Backward(db, lease) if self._phase in BACKWARD else None
        self._size = SMALLEST_CHUNK
        # Leads are taken in the order of their ids, so those up to here are done.
        self._after = FIRST_ID
        self._helper = ThreadPoolExecutor(1)
        self._ahead: Future[Chunk | None] | None = None

    def step(self) -> bool:
        """Freeze the selection, activate one chunk, finish, or take a chunk back. False once no runner is needed any
        more."""
        if self._backward:
            return self._backward.step()
        if self._phase == Phase.SELECTING:
            changes = start.freeze(self._db, self._lease)
            leases.write(self._db, self._lease, changes, in_transaction=False)
            start.forget_selection(self._db, self._lease.job)
            self._phase = changes["phase"]
            return True
        ahead, self._ahead = self._ahead, None
        chunk = ahead.result() if ahead else self._prepare(self._after)
        if chunk is None:
            return not self._finish()
        # The next chunk is read and judged while this one is written.
        self._ahead = self._helper.submit(self._prepare, chunk.last_id)
        try:
            with self._lease.session.start_transaction(write_concern=FAST_COMMIT):
                chunk.write(self._db, self._lease)
        except Outdated:
            self._ahead = None
            return True
        except BaseException:
            self._ahead = None
            raise
        self._after = chunk.last_id
        if chunk.mails:
            self._queued()
        return True

    def _prepare(self, after: ObjectId) -> Chunk | None:
        """The chunk of the leads that follow `after`, judged; None where there are none."""
        leads = self._next_leads(after)
        if not leads:
            return None
        chunk = Chunk(self._lease.job, leads, self._mail_domain)
        seconds = chunk.judge(self._db)
        self._size = next_size(self._size, len(leads), seconds)
        return chunk

    def _next_leads(self, after: ObjectId) -> list[Document]:
        return list(
            self._db.leads.find(
                {
                    "activationId": self._lease.job_id,
                    "_id": {"$gt": after},
                    "status": LeadStatus.ACTIVATING,
                },
                {"name": 1, "email": 1},
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
        leases.finish(self._db, self._lease, _FINISHED)
        return True


class Chunk:
    """Some leads of one session, what is to become of each, and the documents that make it so."""

    def __init__(self, job: Document, leads: list[Document], mail_domain: str) -> None:
        self._job = job
        self._leads = leads
        self._mail_domain = mail_domain
        undo_until = job.get("undoUntil")
        self._held_until = undo_until + UNDO_MARGIN if undo_until else None
        self._errors: list[Document] = []
        self._left_out: dict[ItemState, list[ObjectId]] = {state: [] for state in ItemState}
        self.users: list[Document] = []
        self.mails: list[Document] = []

    @property
    def last_id(self) -> ObjectId:
        return self._leads[-1]["_id"]

    def judge(self, db: Db) -> float:
        """Sort the leads into those that become users and those that do not. Returns how many seconds of CPU that
        took, without the reading."""
        began = thread_time()
        addresses = {lead["_id"]: address_of(lead) for lead in self._leads}
        spent = thread_time() - began
        taken = taken_by_users(db, addresses)
        seen: set[str] = set()
        time, began = now(), thread_time()
        for lead in self._leads:
            address = addresses[lead["_id"]]
            reason = verdict(lead["_id"], address, taken, seen, self._job["_id"])
            if reason or not address:
                self._leave_out(lead, reason or Reason.INVALID_EMAIL)
            else:
                seen.add(address)
                self._activate(lead, address, time)
        return spent + thread_time() - began

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
            user_id=lead["_id"],
            created_at=time,
            leadId=lead["_id"],
            activationId=self._job["_id"],
            invitedBy=self._job["userId"],
        )
        self.users.append(user)
        self.mails.append(
            queue.new_mail(
                TEMPLATE,
                user["_id"],
                address,
                self._job["_id"],
                self._mail_domain,
                time,
                self._held_until,
            )
        )

    def write(self, db: Db, lease: Lease) -> None:
        """Everything, in the lease's open transaction. Raises LeaseLost or Outdated, which undoes it."""
        if self.users:
            self._insert_users(db, lease.session)
            queue.enqueue(db, self.mails, lease.session)
            self._move(db, lease.session, [user["_id"] for user in self.users], _TO_ACTIVE)
        if self._errors:
            rows = [ReplaceOne({"_id": row["_id"]}, row, upsert=True) for row in self._errors]
            db.job_errors.bulk_write(rows, session=lease.session)
            self._move(db, lease.session, self._left_out[ItemState.SKIPPED], start.AS_BEFORE)
            self._move(db, lease.session, self._left_out[ItemState.FAILED], _TO_FAILED)
        leases.write(db, lease, self._raised_counts())

    def _insert_users(self, db: Db, session: ClientSession) -> None:
        try:
            db.users.insert_many(self.users, session=session)
        except BulkWriteError as error:
            if any(fault["code"] != DUPLICATE_KEY for fault in error.details["writeErrors"]):
                raise
            raise Outdated from None

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
            raise Outdated

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
_FINISHED: Document = {"counts.total": _DONE, "vanished": {"$subtract": ["$counts.total", _DONE]}}
# What a lead was is kept with it, for an undo.
_TO_ACTIVE: list[Document] = [
    {
        "$set": {
            "status": LeadStatus.ACTIVE,
            "userId": "$_id",
            "activatedAt": "$$NOW",
        }
    },
]
_TO_FAILED: list[Document] = [{"$set": {"status": LeadStatus.FAILED}}]
