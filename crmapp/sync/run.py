"""The step of a sync: it compares one range, or brings one chunk of documents up to date, in one transaction."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple

from crmapp.database import Db, Document
from crmapp.jobs import leases
from crmapp.jobs.jobs import Phase
from crmapp.jobs.leases import Lease
from crmapp.sync import raw
from crmapp.sync.chunk import Chunk
from crmapp.sync.compare import BY_ID, FAST_COMMIT, Comparison
from crmapp.sync.ml import MlService, message_of, message_of_removal
from crmapp.sync.source import Source

# A chunk of so many costs about 10 ms of CPU.
ROW_SIZE = 200
# With a service that takes its time, a step should still be a short one.
ROW_SIZE_WITH_SERVICE = 32
CHUNK_BYTES = 1024 * 1024


class Work(NamedTuple):
    """The next chunk, which is the beginning of a `row` of job_items."""

    row: Document
    chunk: Chunk


class SyncRun:
    """One sync of `source` in the hands of this process; `service` is told of what changed, where there is one."""

    def __init__(self, db: Db, lease: Lease, source: Source, service: MlService | None) -> None:
        self._db = db
        self._lease = lease
        self._source = source
        self._service = service
        self._phase = lease.job["phase"]
        self._most = ROW_SIZE_WITH_SERVICE if service else ROW_SIZE
        self._size = self._most
        self._comparison = Comparison(db, lease, source, self._most)
        self._helper = ThreadPoolExecutor(1)
        self._ahead: Future[Work | None] | None = None

    def step(self) -> bool:
        """Compare a range, go through a chunk, or end. False once no runner is needed any more. Raises LeaseLost, and
        JobFault where the service is away."""
        if self._phase == Phase.RETURNING:
            return self._forget_rest()
        if self._phase == Phase.SELECTING:
            if not self._comparison.step():
                self._phase = Phase.WORKING
            return True
        return self._work()

    def _forget_rest(self) -> bool:
        """What was not reached is found by the next sync again."""
        leases.write(self._db, self._lease, {}, in_transaction=False)
        self._db.job_items.delete_many({"jobId": self._lease.job_id})
        leases.finish(self._db, self._lease)
        return False

    def _work(self) -> bool:
        ahead, self._ahead = self._ahead, None
        work = ahead.result() if ahead else self._prepare(None)
        if work is None and ahead is None:
            leases.finish(self._db, self._lease)
            return False
        if work is None:
            return True
        if self._service:
            self._send(self._service, work.chunk)
        # The next chunk is read and judged while this one is written.
        ahead = self._helper.submit(self._prepare, work)
        with self._lease.session.start_transaction(write_concern=FAST_COMMIT):
            work.chunk.write(self._db, self._lease, work.row)
        self._ahead = ahead
        return True

    def _prepare(self, before: Work | None) -> Work | None:
        """The work that follows `before`, or the first there is; None where there is none."""
        row = self._next_row(before)
        if row is None:
            return None
        ids = row["ids"][: self._size]
        while (items := self._read(ids)) is None:
            self._size = len(ids) // 2
            ids = ids[: self._size]
        self._size = min(2 * self._size, self._most)
        chunk = Chunk(self._lease.job_id, self._source, ids, items, self._stored(ids))
        chunk.judge()
        return Work(row, chunk)

    def _next_row(self, before: Work | None) -> Document | None:
        if before is None:
            return self._db.job_items.find_one({"jobId": self._lease.job_id}, sort=BY_ID)
        if rest := before.row["ids"][len(before.chunk.ids) :]:
            return {**before.row, "ids": rest}
        later = {"jobId": self._lease.job_id, "_id": {"$gt": before.row["_id"]}}
        return self._db.job_items.find_one(later, sort=BY_ID)

    def _read(self, ids: list[Any]) -> dict[bytes, bytes] | None:
        """The raw items by their keys; None where they are too large to be kept in memory together."""
        batches: Any = self._db[self._source.collection].find_raw_batches(
            {"_id": {"$in": ids}}, self._source.fields
        )
        items: dict[bytes, bytes] = {}
        size = 0
        for batch in batches:
            size += len(batch)
            if size > CHUNK_BYTES and len(ids) > 1:
                return None
            items |= {raw.key(item): item for item in raw.split(batch)}
        return items

    def _stored(self, ids: list[Any]) -> dict[bytes, Document]:
        """What there is of the documents of these items, by the items' keys."""
        wanted = {"type": self._source.type, "sourceId": {"$in": ids}}
        found = self._db.documents.find(wanted, {"sourceId": 1, "contentHash": 1})
        return {raw.key_of(each["sourceId"]): each for each in found}

    def _send(self, service: MlService, chunk: Chunk) -> None:
        """Before it is written, so that what the service has not taken is no document yet."""
        type, job_id = self._source.type, self._lease.job_id
        messages = [message_of(key, document, job_id) for key, document in chunk.documents.items()]
        for key, item_id in chunk.removed.items():
            messages.append(message_of_removal(key, type, item_id, job_id))

        def still_here() -> None:
            leases.write(self._db, self._lease, {}, in_transaction=False)

        rejected = service.send(messages, self._lease.seconds / 4, still_here)
        ids = {raw.key_of(item_id): item_id for item_id in chunk.ids}
        for key, error in rejected.items():
            chunk.reject(key, ids[key], error)
