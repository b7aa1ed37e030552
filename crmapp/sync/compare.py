"""Finding what has changed: a source and its documents are read side by side, range by range.

What is found becomes rows of `job_items`, {_id, jobId, ids}: the ids of the items that the job is to go through.
"""

from __future__ import annotations

import hashlib
from typing import Any

from bson import MaxKey, MinKey, ObjectId
from pymongo import WriteConcern

from crmapp.database import Db, Document
from crmapp.jobs import leases
from crmapp.jobs.jobs import ItemState, Phase
from crmapp.jobs.leases import Lease, LeaseLost
from crmapp.sync import raw
from crmapp.sync.source import Source

RANGE = 2000
RANGE_BYTES = 4 * 1024 * 1024
# The end of a run is a majority write, which waits for all that was written before it.
FAST_COMMIT = WriteConcern(w=1)
BY_ID = [("_id", 1)]
BY_SOURCE_ID = [("type", 1), ("sourceId", 1)]


class Comparison:
    """What one sync has to go through, in rows of up to `row_size` items."""

    def __init__(self, db: Db, lease: Lease, source: Source, row_size: int) -> None:
        self._db = db
        self._lease = lease
        self._source = source
        self._row_size = row_size
        self._failed_of = lease.job["selection"].get("failedOf")

    def step(self) -> bool:
        """Look through one range. False after the last one. Raises LeaseLost."""
        # Read anew each time: whether a transaction was committed is not known where the connection broke meanwhile.
        mine = {"_id": self._lease.job_id, "lease.token": self._lease.token}
        job = self._db.jobs.find_one(mine, {"phase": 1, "cursor": 1})
        if job is None:
            raise LeaseLost(self._lease.job_id)
        if job["phase"] != Phase.SELECTING:
            return False
        find = self._failed if self._failed_of else self._changed
        ids, end = find(job["cursor"])
        job_id, size = self._lease.job_id, self._row_size
        rows = [
            {"_id": ObjectId(), "jobId": job_id, "ids": ids[at : at + size]}
            for at in range(0, len(ids), size)
        ]
        changes = {
            "counts.total": {"$add": ["$counts.total", len(ids)]},
            "cursor": {"$literal": end},
            **({} if end else {"phase": Phase.WORKING}),
        }
        with self._lease.session.start_transaction(write_concern=FAST_COMMIT):
            if rows:
                self._db.job_items.insert_many(rows, session=self._lease.session)
            leases.write(self._db, self._lease, changes)
        return end is not None

    def _changed(self, cursor: Document | None) -> tuple[list[Any], Document | None]:
        """The ids of what is new, changed or gone in the next range, and where the one after it begins."""
        start = cursor["_id"] if cursor else MinKey()
        hashes, end = self._hashes(start)
        there = self._stored_hashes(start, end["_id"] if end else MaxKey())
        changed = [key for key, found in hashes.items() if there.pop(key, None) != found]
        return [raw.id_of(key) for key in (*changed, *(there.keys() - hashes.keys()))], end

    def _hashes(self, start: Any) -> tuple[dict[bytes, bytes], Document | None]:
        # Bounds, and not $gte, because that finds only ids of the type of `start`.
        batches: Any = (
            self._db[self._source.collection]
            .find_raw_batches(projection=self._source.fields, batch_size=RANGE + 1)
            .min([("_id", start)])
            .hint(BY_ID)
            .sort(BY_ID)
            .limit(RANGE + 1)
        )
        hashes: dict[bytes, bytes] = {}
        size = 0
        for batch in batches:
            for item in raw.split(batch):
                key = raw.key(item)
                if len(hashes) == RANGE or size > RANGE_BYTES:
                    return hashes, {"_id": raw.id_of(key)}
                hashes[key] = hash_of(item, self._source)
                size += len(item)
        return hashes, None

    def _stored_hashes(self, start: Any, end: Any) -> dict[bytes, bytes]:
        type = self._source.type
        found = (
            self._db.documents.find({"type": type}, {"_id": 0, "sourceId": 1, "sourceHash": 1})
            .min([("type", type), ("sourceId", start)])
            .max([("type", type), ("sourceId", end)])
            .hint(BY_SOURCE_ID)
        )
        return {raw.key_of(each["sourceId"]): each["sourceHash"] for each in found}

    def _failed(self, cursor: Document | None) -> tuple[list[Any], Document | None]:
        """The ids of the next items that another job failed at, and where those after them begin."""
        wanted: Document = {"jobId": self._failed_of, "state": ItemState.FAILED}
        if cursor:
            wanted["_id"] = {"$gte": cursor["_id"]}
        rows = list(self._db.job_errors.find(wanted, {"sourceId": 1}).sort(BY_ID).limit(RANGE + 1))
        end = {"_id": rows[RANGE]["_id"]} if len(rows) > RANGE else None
        return [row["sourceId"] for row in rows[:RANGE]], end


def hash_of(item: bytes, source: Source) -> bytes:
    """Tells whether an item, or what is made of it, may have changed."""
    return hashlib.blake2b(item, digest_size=16, salt=str(source.version).encode()).digest()
