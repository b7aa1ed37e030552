"""Importing leads from a CSV file."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from itertools import islice
from typing import IO, Any, TypeVar

from bson import ObjectId
from pymongo import UpdateOne
from pymongo.client_session import ClientSession
from pymongo.errors import BulkWriteError

from crmapp.clock import now
from crmapp.database import DUPLICATE_KEY, Db, Document
from crmapp.leads import changes, csvfile, fields, words
from crmapp.leads.csvfile import BadRow, NotACsv, Plain
from crmapp.leads.headings import Columns, understood
from crmapp.leads.rows import Agents, Given, RowReader, Seen, without_duplicates

T = TypeVar("T")

BATCH = 1000
TURN = 100  # as many rows take some milliseconds
# What a file changes in a lead that is there.
OVERWRITTEN = (*fields.LONGEST, "tags", "agentId")
SEARCHED = {"name", "phone", "company"}
_COMPARED = {"email": 1, **dict.fromkeys(OVERWRITTEN, 1)}


class Batch:
    """Leads of a file, each address once, and the writes that bring them into the collection.

    A lead with the address of a row gets the row's fields that are not empty; its status stays, and it is not written
    where nothing changes. Any other row makes a new lead. `by` is {id, name}; `more` are further fields of new leads.
    """

    def __init__(self, given: list[Given], by: Document, time: datetime, **more: Any) -> None:
        self._given = given
        self._by = by
        self._time = time
        self._more = more
        self._taken: set[ObjectId] = set()
        self._prepared: list[Document] = []
        self.new: list[Given] = []
        self.changed: list[tuple[Document, dict[str, list[Any]]]] = []
        self.unchanged = 0

    def prepare(self) -> None:
        """Make what most of them will be, new leads: `write` has less to do then, while other processes wait for it."""
        self._prepared = [self._lead(given) for given in in_turns(self._given)]

    def look(self, db: Db, session: ClientSession | None = None) -> None:
        """Find out which leads are there, and which of those change."""
        self.new, self.changed, self.unchanged = [], [], 0
        emails = [given.values["email"] for given in self._given]
        found = db.leads.find({"email": {"$in": emails}}, _COMPARED, session=session)
        there = {lead["email"]: lead for lead in found}
        for given in self._given:
            lead = there.get(given.values["email"])
            if lead is None:
                self.new.append(given)
                continue
            after = {name: given.values[name] for name in OVERWRITTEN if name in given.values}
            if different := changes.between(lead, after):
                self.changed.append((lead, different))
            else:
                self.unchanged += 1

    def write(self, db: Db, session: ClientSession, job_id: str | None = None) -> None:
        """Look, and write, in the session's open transaction. Raises BulkWriteError where the id of a new lead is that
        of another (see `avoid_taken_ids`)."""
        self.look(db, session)
        if self.new:
            # An insert is several times faster than an upsert, which is right for every lead.
            db.leads.insert_many(self._new_leads(), session=session)
        if self.changed:
            db.leads.bulk_write([self._update(*each) for each in self.changed], session=session)
            events = [self._event(*each, job_id) for each in self.changed]
            db.events.insert_many(events, session=session)

    def avoid_taken_ids(self, db: Db) -> None:
        """Some lead was imported under its address and has got another since: a new lead of that address gets a new
        id."""
        ids = [lead_id(given.values["email"]) for given in self._given]
        self._taken = set(db.leads.distinct("_id", {"_id": {"$in": ids}}))
        self._prepared = []

    def _new_leads(self) -> list[Document]:
        if len(self._prepared) == len(self.new):
            return self._prepared
        return [self._lead(given) for given in self.new]

    def _lead(self, given: Given) -> Document:
        identity = lead_id(given.values["email"])
        if identity in self._taken:
            identity = ObjectId()
        lead = fields.new_lead(identity, given.values, self._time, createdBy=self._by, **self._more)
        lead["createdAt"] = given.values.get("createdAt", self._time)
        return lead

    def _update(self, lead: Document, different: dict[str, list[Any]]) -> UpdateOne:
        after = {name: value for name, (_, value) in different.items()}
        found_by = {"words": words.of({**lead, **after})} if SEARCHED & after.keys() else {}
        written = {**after, **found_by, "updatedAt": self._time}
        return UpdateOne({"_id": lead["_id"]}, {"$set": written})

    def _event(
        self, lead: Document, different: dict[str, list[Any]], job_id: str | None
    ) -> Document:
        event = changes.event(lead["_id"], self._by, "import", different, job_id)
        return {"_id": event_id(job_id, lead["_id"]), **event} if job_id else event


def in_turns(items: Iterable[T]) -> Iterator[T]:
    """The items; every so often the other greenlets of this process have their turn."""
    for count, item in enumerate(items):
        if count % TURN == 0:
            time.sleep(0)
        yield item


def lead_id(email: str) -> ObjectId:
    """The id that an import gives to the lead of a normalised address.

    Two imports at once give the same id, so that only one of them can create the lead.
    """
    return ObjectId(sha256(email.encode()).digest()[:12])


def event_id(job_id: str, lead: ObjectId) -> str:
    """The ids of a job's events begin with the job's, so that they are found without an index of their own."""
    return f"{job_id}:{lead}"


def is_taken(error: BulkWriteError) -> bool:
    """Whether the id of a new lead is that of another."""
    failed = (error.details or {}).get("writeErrors", [])
    return any(each["code"] == DUPLICATE_KEY for each in failed)


@dataclass
class ImportResult:
    """What became of a file's rows: imported + updated + skipped is the number of rows."""

    imported: int = 0
    updated: int = 0
    errors: list[dict[str, Any]] = field(default_factory=list)  # {row, reason} per skipped row

    @property
    def skipped(self) -> int:
        return len(self.errors)

    def to_dict(self) -> dict[str, Any]:
        return {
            "imported": self.imported,
            "updated": self.updated,
            "skipped": self.skipped,
            "errors": self.errors,
        }


def import_leads(db: Db, by: Document, stream: IO[bytes]) -> ImportResult:
    """Put the leads of a CSV file into the collection at once. Bad rows are skipped and reported.

    See Batch for what becomes of a row. An import that broke off can be repeated as a whole. `stream` is binary; see
    csvfile for what it may hold and how rows are numbered.
    Raises NotACsv, with nothing written, for a file that is no list of leads.
    """
    table = csvfile.read(Plain(stream))
    mapping = understood(table.headings)
    if "email" not in mapping:
        raise NotACsv(
            "No column for the e-mail address was found. "
            "Call it Email in the first row, which must hold the headings."
        )
    result, began = ImportResult(), now()
    found = _found_leads(table, RowReader(Columns(mapping), Agents.of(db)), result.errors)
    with db.client.start_session() as session:
        while given := list(islice(found, BATCH)):
            batch = Batch(given, by, began)
            _write(db, session, batch)
            result.imported += len(batch.new)
            result.updated += len(batch.changed) + batch.unchanged
    return result


def _found_leads(
    table: csvfile.Table, reader: RowReader, errors: list[dict[str, Any]]
) -> Iterator[Given]:
    """The leads that the rows hold, each address once. Notes the other rows in `errors`."""
    seen = Seen()
    for row in in_turns(table):
        given = without_duplicates(reader.read(row), seen)
        if isinstance(given, BadRow):
            errors.append({"row": given.number, "reason": given.words})
        else:
            yield given


def _write(db: Db, session: ClientSession, batch: Batch) -> None:
    def write(session: ClientSession) -> None:
        batch.write(db, session)

    try:
        session.with_transaction(write)
    except BulkWriteError as error:
        if not is_taken(error):
            raise
        batch.avoid_taken_ids(db)
        session.with_transaction(write)
