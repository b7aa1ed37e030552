"""Importing leads from a CSV file."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from itertools import islice
from typing import IO, Any

from bson import ObjectId
from pymongo import InsertOne, UpdateOne
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError

from crmapp import addresses
from crmapp.database import DUPLICATE_KEY
from crmapp.leads import csvfile

BATCH = 1000
LONGEST = {"name": 200, "phone": 200, "company": 200, "source": 200, "notes": 10_000}  # characters
STATUSES = ("new", "contacted", "qualified")  # those that a file may give to a new lead


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


def import_leads(leads: Collection[dict[str, Any]], stream: IO[bytes]) -> ImportResult:
    """Put the leads of a CSV file into the collection. Bad rows are skipped and reported.

    A lead with the address of a row is updated with the row's cells that are not empty; its status
    stays. Any other row makes a new lead. An import that broke off can be repeated as a whole.

    `stream` is binary; see csvfile.read for what it may hold and how rows are numbered.
    Raises csvfile.NotACsv, with nothing written, for a file that is no list of leads.
    """
    result = ImportResult()
    found = _found_leads(csvfile.read(stream), result.errors)
    while batch := list(islice(found, BATCH)):
        _write(leads, batch, result)
    return result


class _BadValue(ValueError):
    """A cell that cannot be stored. Its text is the row's reason."""


def _found_leads(
    rows: Iterator[csvfile.Row | csvfile.BadRow], errors: list[dict[str, Any]]
) -> Iterator[dict[str, str]]:
    """The leads that the rows hold, each address once. Notes the other rows in `errors`."""
    row_of: dict[str, int] = {}
    for count, row in enumerate(rows):
        if count % BATCH == 0:
            time.sleep(0)  # lets the other greenlets of this process have their turn
        try:
            lead = _lead(row)
        except _BadValue as reason:
            errors.append({"row": row.number, "reason": str(reason)})
            continue
        first = row_of.setdefault(lead["email"], row.number)
        if first == row.number:
            yield lead
        else:
            errors.append({"row": row.number, "reason": f"duplicate in the file of row {first}"})


def _lead(row: csvfile.Row | csvfile.BadRow) -> dict[str, str]:
    """The row's fields as they are stored. Raises _BadValue."""
    if isinstance(row, csvfile.BadRow):
        raise _BadValue(row.reason)
    lead = {"email": _address(row.values.get("email", ""))}
    for name, longest in LONGEST.items():
        if text := row.values.get(name):
            if len(text) > longest:
                raise _BadValue(f"{name} is longer than {longest} characters")
            # A line break in a name would end up in the headers of a mail.
            lead[name] = text if name == "notes" else " ".join(text.split())
    status = row.values.get("status", "").lower()
    if status in STATUSES:
        lead["status"] = status
    return lead


def _address(cell: str) -> str:
    """The cell's address. "Ann Lee <ann@x.com>" and "mailto:ann@x.com" will do."""
    if named := re.fullmatch(r"[^<>]*<([^<>]*)>", cell):
        cell = named[1]
    text = re.sub(r"^\s*mailto:", "", cell, flags=re.IGNORECASE).strip("\u200b \t\n")
    if not text:
        raise _BadValue("no e-mail")
    try:
        return addresses.normalise(text)
    except addresses.InvalidAddress:
        shown = text if len(text) <= 100 else f"{text[:100]}…"
        raise _BadValue(f"not an address: {shown}") from None


def lead_id(email: str) -> ObjectId:
    """The id that an import gives to the lead of a normalised address.

    Two imports at once give the same id, so that only one of them can create the lead.
    """
    return ObjectId(sha256(email.encode()).digest()[:12])


def _write(
    leads: Collection[dict[str, Any]], batch: list[dict[str, str]], result: ImportResult
) -> None:
    emails = [lead["email"] for lead in batch]
    there = set(leads.distinct("email", {"email": {"$in": emails}}))
    now = datetime.now(UTC)
    # An insert is several times faster than an upsert, which is right for every lead.
    writes = [
        _upsert(lead, lead_id(lead["email"]), now)
        if lead["email"] in there
        else InsertOne(_new(lead, lead_id(lead["email"]), now))
        for lead in batch
    ]
    written: Mapping[str, Any]
    try:
        written = leads.bulk_write(writes, ordered=False).bulk_api_result
    except BulkWriteError as error:
        written = error.details or {}
        failed = written["writeErrors"]
        if written["writeConcernErrors"] or any(f["code"] != DUPLICATE_KEY for f in failed):
            raise
        # Either another import has just created the lead, and it is there to be updated, or the
        # id belongs to a lead that has got another address since, and the new one needs its own.
        again = [_upsert(batch[f["index"]], ObjectId(), now) for f in failed]
        retried = leads.bulk_write(again, ordered=False)
        result.imported += retried.upserted_count
        result.updated += retried.matched_count
    result.imported += written["nInserted"] + written["nUpserted"]
    result.updated += written["nMatched"]


def _new(lead: dict[str, str], identity: ObjectId, now: datetime) -> dict[str, Any]:
    blank = {"name": "", "email": "", **dict.fromkeys(LONGEST, ""), "status": "new"}
    return {"_id": identity, **blank, **lead, "createdAt": now, "updatedAt": now}


def _upsert(lead: dict[str, str], identity: ObjectId, now: datetime) -> UpdateOne:
    """Update the lead of this address, or create it with this id where it is not there."""
    given = {name: text for name, text in lead.items() if name in LONGEST} | {"updatedAt": now}
    created = _new(lead, identity, now)
    rest = {name: value for name, value in created.items() if name not in given}
    return UpdateOne({"email": lead["email"]}, {"$set": given, "$setOnInsert": rest}, upsert=True)
