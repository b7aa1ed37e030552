"""`python -m benchmarks.activation`: leads become users, through the real server, with stream and mirror on.

A rate counts from the POST, freezing included, until the last user exists by the progress document. Mails are sent to
a server that takes everything, or held back by one that does not answer.

How long a stream stood still: a probe announces a state every 20 ms on a topic of its own, and its reader, on the
worker process that activates, should be written to every 100 ms. What its longest wait had beyond these 100 ms is
stutter. The same is measured with nothing going on, because the probe and its reader share the machine's cores.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from benchmarks import processes, publisher, servers
from benchmarks.helper import Helper, helper
from benchmarks.peers import activation as peers
from benchmarks.servers import Server
from benchmarks.tables import Goal, Table, median, number, times
from benchmarks.waiting import poll, until
from config import Settings
from crmapp.database import Db
from crmapp.live.mailbox import MIN_INTERVAL_SECONDS
from crmapp.local.samples import sample_leads

PROBE = "activation_1700000000000_probe"
PROBE_RATE = 50
IDLE_SECONDS = 3
LONGEST_SECONDS = 180
INSERT_AT_ONCE = 5000


@dataclass
class Figures:
    """Of one activation. `stutter` and `progress_gap` in seconds."""

    rate: float
    memory_mib: float
    stutter: float
    idle_stutter: float
    progress_gap: float


class Trial:
    """One activation of `leads` leads on a server and a database of its own. `disturb` is called in the middle."""

    def __init__(
        self, settings: Settings, leads: int, disturb: Callable[[], None] | None = None
    ) -> None:
        self._settings = settings
        self._leads = leads
        self._disturb = disturb

    def run(self, mail_port: int = servers.CLOSED_PORT) -> tuple[Figures, Db]:
        """The figures, and the database as the activation left it."""
        uri, db = servers.new_database(self._settings, f"activation_{self._leads}")
        admin = servers.add_admin(db)
        add_leads(db, self._leads)
        db.activation_progress.insert_one(publisher.progress(PROBE, admin.id, 1))
        environ = servers.environ_of(self._settings, uri, MAIL_PORT=str(mail_port))
        with ExitStack() as stack:
            log = self._settings.data_dir / "activation.log"
            server = stack.enter_context(servers.crmapp_server(environ, log))
            readers = stack.enter_context(helper("readers"))
            probe = stack.enter_context(
                helper("publisher", "crmapp", PROBE, admin.id, environ=environ)
            )
            return self._measure(db, server, readers, probe), db

    def _measure(self, db: Db, server: Server, readers: Helper, probe: Helper) -> Figures:
        token = servers.sign_in(server.port)
        stream = {"port": server.port, "token": token, "count": 1}
        readers.ask("open", path=f"/crm/activation/stream/{PROBE}", **stream)
        until(lambda: readers.ask("state")["told"], 10, "the probe's stream begins")
        probe.tell("steady", rate=PROBE_RATE, seconds=LONGEST_SECONDS + 60)
        time.sleep(1)
        readers.ask("forget")
        time.sleep(IDLE_SECONDS)
        idle = readers.ask("gaps")[0]
        memory = processes.memory_kib(server.worker)
        processes.forget_peak(server.worker)
        readers.ask("forget")
        began = time.time()
        status, answer = servers.call(
            server.port, "POST", "/crm/leads/activate", {"filter": {}}, token, LONGEST_SECONDS
        )
        if status != 202:
            raise RuntimeError(f"not started: {answer}")
        session = answer["data"]["sessionId"]
        readers.ask("open", path=f"/crm/activation/stream/{session}", **stream)
        ended = self._wait(db, session)
        gaps = readers.ask("gaps")
        return Figures(
            rate=self._leads / (ended - began),
            memory_mib=(processes.memory_kib(server.worker, "VmHWM") - memory) / 1024,
            stutter=max(0.0, gaps[0] - MIN_INTERVAL_SECONDS),
            idle_stutter=max(0.0, idle - MIN_INTERVAL_SECONDS),
            progress_gap=gaps[1] if len(gaps) > 1 else 0.0,
        )

    def _wait(self, db: Db, session: str) -> float:
        """Until all users exist. Returns when that was."""
        if self._disturb:
            until(
                lambda: _activated(db, session) >= self._leads // 5,
                LONGEST_SECONDS,
                "a fifth is done",
            )
            self._disturb()
        done = {"sessionId": session, "usersDone": True}
        progress = poll(lambda: db.activation_progress.find_one(done), LONGEST_SECONDS)
        if progress is None or progress["activated"] != self._leads:
            raise RuntimeError(f"not all leads were activated: {progress}")
        return float(progress["usersDoneAt"].timestamp())


def _activated(db: Db, session: str) -> int:
    progress = db.activation_progress.find_one({"sessionId": session})
    return int(progress["activated"]) if progress else 0


def add_leads(db: Db, count: int) -> None:
    leads: list[Any] = list(sample_leads(count))
    for start in range(0, count, INSERT_AT_ONCE):
        db.leads.insert_many(leads[start : start + INSERT_AT_ONCE])


@dataclass
class Rates:
    """Of what is compared, in leads a second."""

    hashed: list[float]
    plain: list[float]
    limit: list[float]


class Benchmark:
    def __init__(self, settings: Settings, sizes: list[int], rounds: int, mail_port: int) -> None:
        self._settings = settings
        self._sizes = sizes
        self._rounds = rounds
        self._mail_port = mail_port
        self.held: dict[int, list[Figures]] = {size: [] for size in sizes}
        self.sent: dict[int, list[Figures]] = {size: [] for size in sizes}
        self.disturbed: list[Figures] = []
        self.rates = Rates([], [], [])
        self.middle = sizes[len(sizes) // 2]

    def run(self, hashed: int, plain: int) -> None:
        """Every contestant in turn, `rounds` times; then once without Redis."""
        for _ in range(self._rounds):
            for size in self._sizes:
                figures, db = Trial(self._settings, size).run()
                self.held[size].append(figures)
                if size == self.middle:
                    self.rates.limit.append(self._limit(db))
                db.client.close()
                figures, db = Trial(self._settings, size).run(self._mail_port)
                self.sent[size].append(figures)
                db.client.close()
            self.rates.plain.append(self._loop(plain, hashed=False))
        self.rates.hashed.append(self._loop(hashed, hashed=True))
        figures, db = Trial(self._settings, self.middle, self._kill_valkey).run()
        self.disturbed.append(figures)
        db.client.close()

    def _limit(self, activated: Db) -> float:
        """With the documents that the application has just written."""
        users = list(activated.users.find({"role": "user"}))
        mails = list(activated.pending_emails.find())
        _, db = servers.new_database(self._settings, "limit")
        rate = peers.limit(db, users, mails)
        db.client.close()
        return rate

    def _loop(self, leads: int, *, hashed: bool) -> float:
        _, db = servers.new_database(self._settings, "loop")
        add_leads(db, leads)
        rate = peers.loop(db, hashed)
        db.client.close()
        return rate

    def _kill_valkey(self) -> None:
        state = json.loads((self._settings.data_dir / "valkey.json").read_text())
        os.kill(state["pid"], signal.SIGKILL)


class Report:
    """Puts what was measured into the table."""

    def __init__(self, table: Table, benchmark: Benchmark) -> None:
        self._table = table
        self._benchmark = benchmark
        rates = benchmark.rates
        self._peers = [median(rates.hashed), median(rates.plain), median(rates.limit)]

    def fill(self) -> None:
        for size, runs in self._benchmark.held.items():
            self._rate(f"{size:,} leads, mail held: leads/s", runs)
        for size, runs in self._benchmark.sent.items():
            self._rate(f"{size:,} leads, mail sent meanwhile: leads/s", runs)
        self._growth()
        self._disturbed()
        for state in (self._benchmark.held, self._benchmark.sent):
            sent = "mail held" if state is self._benchmark.held else "mail sent meanwhile"
            for size, runs in state.items():
                self._smoothness(f"{size:,} leads, {sent}", runs)

    def _rate(self, label: str, runs: list[Figures]) -> None:
        rate = median([run.rate for run in runs])
        hashed, plain, limit = (rate / peer for peer in self._peers)
        goal = Goal("300 x a, 25 x b, 0.5 x c", hashed >= 300 and plain >= 25 and limit >= 0.5)
        ratio = f"{times(hashed)} a, {times(plain)} b, {times(limit)} c"
        self._table.row(label, number(rate), *map(number, self._peers), ratio=ratio, goal=goal)

    def _growth(self) -> None:
        held, middle = self._benchmark.held, self._benchmark.middle
        largest = max(held)
        ratio = median([r.rate for r in held[largest]]) / median([r.rate for r in held[middle]])
        self._table.row(
            f"rate at {largest:,} against {middle:,}",
            ratio=times(ratio),
            goal=Goal("0.8 x", ratio >= 0.8),
        )

    def _disturbed(self) -> None:
        middle = self._benchmark.middle
        rate = self._benchmark.disturbed[0].rate
        undisturbed = median([run.rate for run in self._benchmark.held[middle]])
        self._table.row(
            f"{middle:,} leads, Redis killed in the middle: leads/s",
            number(rate),
            ratio=f"{times(rate / undisturbed)} undisturbed",
        )

    def _smoothness(self, label: str, runs: list[Figures]) -> None:
        memory = max(run.memory_mib for run in runs)
        goal = Goal("at most 32", memory <= 32)
        self._table.row(f"{label}: memory of the runner, MiB more", number(memory), goal=goal)
        stutter = 1000 * median([run.stutter for run in runs])
        idle = 1000 * median([run.idle_stutter for run in runs])
        self._table.row(
            f"{label}: stream stood still, ms",
            number(stutter),
            ratio=f"{number(idle)} with nothing going on",
            goal=Goal("at most 100", stutter <= 100),
        )
        gap = 1000 * median([run.progress_gap for run in runs])
        self._table.row(f"{label}: longest time between progress events, ms", number(gap))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="200 to 2,000 leads, one round")
    parser.add_argument("--rounds", type=int, help="medians of so many runs (3)")
    arguments = parser.parse_args()
    sizes = [200, 1000, 2000] if arguments.quick else [1000, 10_000, 100_000]
    hashed, plain = (20, 200) if arguments.quick else (200, 2000)
    rounds = arguments.rounds or (1 if arguments.quick else 3)
    with servers.parts() as settings, helper("sink") as sink:
        benchmark = Benchmark(settings, sizes, rounds, sink.greeting["port"])
        benchmark.run(hashed, plain)
    contestants = ["crmapp", "(a) loop, bcrypt", "(b) loop", "(c) insert_many"]
    table = Table(f"Activation, medians of {rounds}", contestants)
    Report(table, benchmark).fill()
    table.note(
        "Stood still: beyond the 100 ms between two writes; with nothing going on it is the machine's share."
    )
    table.show()


if __name__ == "__main__":
    main()
