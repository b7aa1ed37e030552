"""The step of an import: it looks through some rows of the file, or writes some of them, in one transaction.

The file is gone through twice. The first time finds out how many rows there are and which are bad, duplicates among
them, for which the whole file must be known; that time begins anew wherever it broke off. The second time writes, in
chunks: the job's cursor, the place in the file where the next chunk begins, moves with each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import NamedTuple

from pymongo import WriteConcern
from pymongo.client_session import ClientSession
from pymongo.errors import BulkWriteError

from crmapp.clock import now
from crmapp.database import Db, Document
from crmapp.imports import files
from crmapp.imports.files import FileGone
from crmapp.imports.imports import CANCELLED, IMPORTED
from crmapp.jobs import leases
from crmapp.jobs.jobs import ItemState, JobFault, Phase
from crmapp.jobs.leases import Lease, LeaseLost
from crmapp.leads.csvfile import BadRow, Place, Row, Table
from crmapp.leads.headings import Columns
from crmapp.leads.importing import Batch, in_turns, is_taken
from crmapp.leads.rows import Agents, Given, RowReader, Seen, without_duplicates

LOOKED_AT_ONCE = 1000
WRITTEN_AT_ONCE = 1000
# What is lost with a machine before it is on its disk is lost together with the cursor.
FAST_COMMIT = WriteConcern(w=1)
GONE = "The file is kept no longer. Cancel this import, then upload the file again."


class Chunk(NamedTuple):
    """Rows that follow each other, from the place `begin` to `end`; where there is no row, the file has ended."""

    begin: Place
    end: Place
    rows: int
    bad: list[BadRow]
    batch: Batch


class ImportRun:
    """One import in the hands of this process."""

    def __init__(self, db: Db, lease: Lease) -> None:
        self._db = db
        self._lease = lease
        self._job = lease.job
        self._phase = lease.job["phase"]
        self._reader = RowReader(Columns(lease.job["selection"]["mapping"]), Agents.of(db))
        self._seen: Seen | None = None
        self._table: Table | None = None
        self._rows: Iterator[Row | BadRow] = iter(())
        self._chunk: Chunk | None = None
        self._ahead: Future[Chunk] | None = None
        self._helper = ThreadPoolExecutor(1)

    def step(self) -> bool:
        """Look through some rows, write some, or end. False once no runner is needed any more. Raises LeaseLost, and
        JobFault where the file is gone."""
        if self._phase == Phase.RETURNING:
            return self._end(CANCELLED)
        try:
            return self._look_through() if self._phase == Phase.SELECTING else self._work()
        except Exception:
            if self._chunk is None:
                self._forget()  # who reads on after a fault misses the rows that were read before it
            raise

    def _look_through(self) -> bool:
        seen = self._seen = self._seen or self._begin_anew()
        chunk = self._chunk = self._chunk or self._look(seen)

        def write() -> None:
            self._note(chunk.bad)
            raised = self._raised(total=chunk.rows, failed=len(chunk.bad))
            leases.write(self._db, self._lease, {**raised, "cursor": list(chunk.end)})

        if chunk.rows:
            if not self._commit(chunk, write):
                return self._begin_again()
        else:
            if self._cursor() != list(chunk.begin):
                return self._begin_again()
            begun = {"phase": Phase.WORKING, "cursor": self._job["selection"]["start"]}
            leases.write(self._db, self._lease, begun, in_transaction=False)
            self._phase, self._table, self._seen = Phase.WORKING, None, None
        self._chunk = None
        return True

    def _begin_anew(self) -> Seen:
        """What was found before this process took the job up is found again."""
        start = self._job["selection"]["start"]
        nothing = {"counts.total": 0, "counts.failed": 0, "cursor": start}
        leases.write(self._db, self._lease, nothing, in_transaction=False)
        self._db.job_errors.delete_many({"jobId": self._lease.job_id})
        self._open(Place(*start))
        return Seen()

    def _open(self, place: Place) -> None:
        file = self._job["selection"]
        try:
            table = files.rest(self._db, file["fileId"], file["delimiter"], file["headings"], place)
        except FileGone:
            raise JobFault(GONE) from None
        self._table, self._rows = table, iter(table)

    def _look(self, seen: Seen) -> Chunk:
        begin, rows, end = self._next_rows(LOOKED_AT_ONCE)
        read = [without_duplicates(self._reader.read(row), seen) for row in in_turns(rows)]
        return self._chunk_of(begin, end, len(rows), read)

    def _next_rows(self, most: int) -> tuple[Place, list[Row | BadRow], Place]:
        """Up to so many rows, or as many as a transaction should hold, and where they begin and end."""
        assert self._table is not None
        begin = self._table.place
        return begin, self._table.some(self._rows, most), self._table.place

    def _work(self) -> bool:
        if self._table is None:
            self._open(Place(*self._cursor()))
        if self._chunk is None:
            ahead, self._ahead = self._ahead, None
            self._chunk = ahead.result() if ahead else self._prepare()
        chunk = self._chunk
        if not chunk.rows:
            at_end = self._cursor() == list(chunk.begin)
            return self._end(IMPORTED) if at_end else self._begin_again()
        # The next chunk is read while this one is written.
        self._ahead = self._ahead or self._helper.submit(self._prepare)
        try:
            done = self._commit(chunk, lambda: self._write(chunk))
        except BulkWriteError as error:
            if not is_taken(error):
                raise
            chunk.batch.avoid_taken_ids(self._db)
            done = self._commit(chunk, lambda: self._write(chunk))
        if not done:
            return self._begin_again()
        self._chunk = None
        return True

    def _prepare(self) -> Chunk:
        begin, rows, end = self._next_rows(WRITTEN_AT_ONCE)
        noted = self._noted(rows)
        read = [self._reader.read(row) for row in in_turns(rows) if row.number not in noted]
        chunk = self._chunk_of(begin, end, len(rows), read)
        chunk.batch.prepare()
        return chunk

    def _chunk_of(self, begin: Place, end: Place, rows: int, read: list[Given | BadRow]) -> Chunk:
        given = [row for row in read if isinstance(row, Given)]
        bad = [row for row in read if isinstance(row, BadRow)]
        by, time, import_id = self._job["by"], self._job["importedAt"], self._lease.job_id
        return Chunk(begin, end, rows, bad, Batch(given, by, time, importId=import_id))

    def _noted(self, rows: list[Row | BadRow]) -> set[int]:
        """The numbers of those that were found bad when the file was looked through."""
        if not rows:
            return set()
        ids = {"$gte": self._error_id(rows[0].number), "$lte": self._error_id(rows[-1].number)}
        return {row["row"] for row in self._db.job_errors.find({"_id": ids}, {"row": 1})}

    def _write(self, chunk: Chunk) -> None:
        batch = chunk.batch
        batch.write(self._db, self._lease.session, self._lease.job_id)
        self._note(chunk.bad)
        raised = self._raised(
            imported=len(batch.new),
            updated=len(batch.changed),
            unchanged=batch.unchanged,
            failed=len(chunk.bad),
        )
        leases.write(self._db, self._lease, {**raised, "cursor": list(chunk.end)})

    def _commit(self, chunk: Chunk, write: Callable[[], None]) -> bool:
        """Do `write` in a transaction, unless that was done: who loses the database during a commit cannot know. False
        where the chunk before is gone: a primary that is lost takes with it what no other node has got yet."""
        session = self._lease.session
        with session.start_transaction(write_concern=FAST_COMMIT):
            cursor = self._cursor(session)
            if cursor == list(chunk.begin):
                write()
            else:
                leases.write(self._db, self._lease, {})
        return cursor in (list(chunk.begin), list(chunk.end))

    def _cursor(self, session: ClientSession | None = None) -> list[int]:
        """As it is stored."""
        mine = {"_id": self._lease.job_id, "lease.token": self._lease.token}
        job = self._db.jobs.find_one(mine, {"cursor": 1}, session=session)
        if job is None:
            raise LeaseLost(self._lease.job_id)
        return list(job["cursor"])

    def _begin_again(self) -> bool:
        """Go on from the stored cursor."""
        self._forget()
        return True

    def _forget(self) -> None:
        """What was read of the file."""
        ahead, self._ahead = self._ahead, None
        if ahead:
            wait([ahead])
        self._table, self._seen, self._chunk = None, None, None

    def _raised(self, **counts: int) -> Document:
        return {
            f"counts.{name}": {"$add": [f"$counts.{name}", count]}
            for name, count in counts.items()
            if count
        }

    def _note(self, bad: list[BadRow]) -> None:
        rows = [
            {
                "_id": self._error_id(row.number),
                "jobId": self._lease.job_id,
                "title": f"Row {row.number:,}",
                "state": ItemState.FAILED,
                "reason": row.reason,
                "row": row.number,
                "words": row.words,
                "cells": row.cells,
                "at": now(),
            }
            for row in bad
        ]
        if rows:
            self._db.job_errors.insert_many(rows, session=self._lease.session)

    def _error_id(self, row: int) -> str:
        """In the order of the rows."""
        return f"{self._lease.job_id}:{row:010d}"

    def _end(self, state: str) -> bool:
        leases.write(self._db, self._lease, {}, in_transaction=False)
        job = self._db.jobs.find_one({"_id": self._lease.job_id}, {"counts": 1}) or self._job
        ended = {"state": state, "counts": job["counts"], "endedAt": now()}
        # Whoever started it may have died before it was noted that the record is to stay.
        stays = {"$set": ended, "$unset": {"expireAt": 1}}
        self._db.imports.update_one({"_id": self._lease.job_id}, stays)
        files.drop(self._db, self._job["selection"]["fileId"])
        leases.finish(self._db, self._lease)
        return False
