"""`python -m benchmarks.sync [SIZE]`: SIZE journal entries become documents, through the real server.

A rate counts from the POST until the last document exists by the job. It is compared with a plain loop that upserts
one by one, in a process of its own, over a part of the same entries: it is slow, and its rate hardly depends on how
many there are (a smaller index is to its advantage).
"""

from __future__ import annotations

import argparse
import time
from itertools import islice
from typing import NamedTuple

from bson import ObjectId

from benchmarks import processes, servers
from benchmarks.helper import helper
from benchmarks.servers import Server
from benchmarks.tables import Table, median, number, times
from benchmarks.waiting import until
from config import Settings
from crmapp.database import Db
from crmapp.local.samples import sample_journal, sample_leads

LONGEST_SECONDS = 1800
INSERT_AT_ONCE = 5000
CHANGED_SHARE = 0.01
FEWEST_OF_PEER = 10_000


class Figures(NamedTuple):
    """Of one sync or loop: entries a second, and the memory of its process, at most, in MiB more than before."""

    rate: float
    memory: float


class Benchmark:
    def __init__(self, settings: Settings, size: int) -> None:
        self._settings = settings
        self._size = size
        self.peer_size = min(size, max(FEWEST_OF_PEER, size // 10))
        self.ours: dict[str, list[Figures]] = {"first": [], "unchanged": [], "1 % changed": []}
        self.loop: dict[str, list[Figures]] = {"first": [], "unchanged": []}

    def run(self, rounds: int) -> None:
        for _ in range(rounds):
            self._sync()
            self._loop()

    def _sync(self) -> None:
        uri, db = servers.new_database(self._settings, "sync")
        servers.add_admin(db)
        add_entries(db, self._size)
        environ = servers.environ_of(self._settings, uri)
        log = self._settings.data_dir / "sync.log"
        with servers.crmapp_server(environ, log) as server:
            token = servers.sign_in(server.port)
            self._measure("first", db, server, token, self._size)
            self._measure("unchanged", db, server, token, 0)
            self._measure("1 % changed", db, server, token, change_some(db))
        db.client.drop_database(db)
        db.client.close()

    def _measure(self, name: str, db: Db, server: Server, token: str, changed: int) -> None:
        memory = processes.memory_kib(server.worker)
        processes.forget_peak(server.worker)
        began = time.time()
        path = "/api/ml/sync/journal_entries"
        status, answer = servers.call(server.port, "POST", path, {}, token)
        if status != 202:
            raise RuntimeError(f"not started: {answer}")
        done = {"_id": answer["data"]["jobId"], "phase": "over"}
        job = until(lambda: db.jobs.find_one(done), LONGEST_SECONDS, f"the {name} sync ends")
        if job["counts"]["synced"] != changed or job["counts"]["total"] != changed:
            raise RuntimeError(f"{changed} entries had changed: {job['counts']}")
        peak = processes.memory_kib(server.worker, "VmHWM")
        seconds = job["workedAt"].timestamp() - began
        self.ours[name].append(Figures(self._size / seconds, (peak - memory) / 1024))

    def _loop(self) -> None:
        uri, db = servers.new_database(self._settings, "loop")
        add_entries(db, self.peer_size)
        with helper("peers.sync", uri) as peer:
            for name in self.loop:
                peer.tell("loop", most=self.peer_size)
                took = peer.answer(LONGEST_SECONDS)
                rate = self.peer_size / took["seconds"]
                self.loop[name].append(Figures(rate, took["memory"]))
        db.client.drop_database(db)
        db.client.close()


def add_entries(db: Db, count: int) -> None:
    leads = [{"_id": ObjectId(), **lead} for lead in sample_leads(1000)]
    entries = sample_journal(leads, [{"_id": ObjectId(), "name": "Ann"}], count)
    while some := list(islice(entries, INSERT_AT_ONCE)):
        db.journal_entries.insert_many(some)


def change_some(db: Db) -> int:
    """Change every so many entries; returns how many these are."""
    ids = [entry["_id"] for entry in db.journal_entries.find({}, {"_id": 1}).sort("_id", 1)]
    changed = ids[:: int(1 / CHANGED_SHARE)]
    words = {"$set": {"text": "Something else was said."}}
    db.journal_entries.update_many({"_id": {"$in": changed}}, words)
    return len(changed)


def table_of(benchmark: Benchmark, size: int, rounds: int) -> Table:
    table = Table(
        f"Sync of {size:,} journal entries, medians of {rounds}", ["crmapp", "upserts one by one"]
    )
    for name, runs in benchmark.ours.items():
        rate = median([run.rate for run in runs])
        loop = benchmark.loop["first" if name == "first" else "unchanged"]
        loop_rate = median([run.rate for run in loop])
        ratio = times(rate / loop_rate)
        table.row(f"{name}: entries/s", number(rate), number(loop_rate), ratio=ratio)
        memory, loop_memory = (max(run.memory for run in each) for each in (runs, loop))
        table.row(f"{name}: memory, MiB more", number(memory), number(loop_memory))
    table.note(
        f"The loop goes over {benchmark.peer_size:,} entries, and rewrites what has not changed."
    )
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("size", type=int, nargs="?", default=100_000, metavar="SIZE")
    parser.add_argument("--rounds", type=int, default=1, help="medians of so many runs (1)")
    arguments = parser.parse_args()
    with servers.parts() as settings:
        benchmark = Benchmark(settings, arguments.size)
        benchmark.run(arguments.rounds)
    table_of(benchmark, arguments.size, arguments.rounds).show()


if __name__ == "__main__":
    main()
