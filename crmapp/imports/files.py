"""The files that are to be imported, kept in MongoDB so that any worker can read them, as csvfile.Plain tells them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import IO

from bson import ObjectId
from pymongo import WriteConcern

from crmapp.database import Db
from crmapp.leads import csvfile
from crmapp.leads.csvfile import Place, Plain, Table

BLOCKS_AT_ONCE = 4


class FileGone(LookupError):
    """The file is kept no longer."""


def keep(db: Db, stream: IO[bytes], until: datetime) -> tuple[ObjectId, int, str]:
    """Store what the stream holds, until then unless `keep_on` is called. Returns its id, its size in bytes and its
    encoding. Raises NotACsv where it is no text."""
    file_id, size, plain = ObjectId(), 0, Plain(stream)
    # The import's record, which is written after them, is on a majority of the servers only where they are too.
    blocks = db.import_blocks.with_options(write_concern=WriteConcern(w=1))
    for block in plain:
        stored = {"fileId": file_id, "at": size, "data": block, "expireAt": until}
        blocks.insert_one(stored)
        size += len(block)
    return file_id, size, plain.encoding


def keep_on(db: Db, file_id: ObjectId) -> None:
    """A job needs it: it does not expire before `drop`."""
    db.import_blocks.update_many({"fileId": file_id}, {"$unset": {"expireAt": 1}})


def table(db: Db, file_id: ObjectId) -> Table:
    """The table that it holds. Raises NotACsv, and FileGone."""
    return csvfile.read(_blocks(db, file_id, 0))


def rest(db: Db, file_id: ObjectId, delimiter: str, headings: list[str], place: Place) -> Table:
    """Its table from `place` on. Raises FileGone."""
    return csvfile.read_on(_blocks(db, file_id, place.byte), delimiter, headings, place)


def _blocks(db: Db, file_id: ObjectId, start: int) -> Iterator[bytes]:
    """From the byte `start` on."""
    at = {"fileId": file_id, "at": {"$lte": start}}
    first = db.import_blocks.find_one(at, {"at": 1}, sort=[("at", -1)])
    if first is None:
        raise FileGone
    later = {"fileId": file_id, "at": {"$gte": first["at"]}}
    found = db.import_blocks.find(later, batch_size=BLOCKS_AT_ONCE).sort("at", 1)
    return (block["data"][max(0, start - block["at"]) :] for block in found)


def drop(db: Db, file_id: ObjectId) -> None:
    """Keep it no longer; it may be gone already."""
    db.import_blocks.delete_many({"fileId": file_id})
