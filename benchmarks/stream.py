"""`python -m benchmarks.stream`: many readers of one session on one worker process.

20 updates a second for 10 s, then a burst of 1,000 as fast as they can be published. A stream carries states, so an
update counts as received when a reader has it or a newer one. All readers connect at once.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis import Redis

from benchmarks import processes, publisher, servers
from benchmarks.helper import helper
from benchmarks.servers import Server
from benchmarks.tables import Goal, Table, median, number, times
from benchmarks.waiting import poll
from config import Settings

SESSION = "activation_1700000000000_benchmark"
RATE, BURST = 20, 1000
WARM_UP_READERS = 20
# A contestant that collapses is not waited for longer than this.
PATIENCE_SECONDS = 30
PEER_PATH = f"/stream?channel={SESSION}"

Serve = Callable[[dict[str, str], Path], AbstractContextManager[Server]]


@dataclass(frozen=True)
class Contestant:
    """`publishes` is the publisher's way; `subscribes` says that each reader has a subscription in Valkey."""

    name: str
    serve: Serve
    path: str
    publishes: str
    subscribes: bool = False


CRMAPP = Contestant(
    "crmapp", servers.crmapp_server, f"/crm/activation/stream/{SESSION}", publishes="crmapp"
)
SHARED = Contestant(
    "sse-starlette, shared",
    lambda environ, log: servers.uvicorn("benchmarks.peers.sse_starlette_shared:app", environ, log),
    PEER_PATH,
    publishes="redis",
)
EACH = Contestant(
    "sse-starlette, each",
    lambda environ, log: servers.uvicorn("benchmarks.peers.sse_starlette_each:app", environ, log),
    PEER_PATH,
    publishes="redis",
    subscribes=True,
)
FLASK_SSE = Contestant(
    "flask-sse",
    lambda environ, log: servers.gunicorn("benchmarks.peers.flask_sse_app:app", environ, log),
    PEER_PATH,
    publishes="flask-sse",
    subscribes=True,
)
CONTESTANTS = [CRMAPP, SHARED, EACH, FLASK_SSE]


@dataclass
class Figures:
    """Of one run. Times in seconds; None where it did not happen."""

    first_p50: float | None
    first_p99: float | None
    p50: float
    p99: float
    cpu: float
    burst: float | None
    kib_per_reader: float
    kib_again: float
    subscriptions: int
    without_newest: int
    dropped: int
    left: int
    left_connections: int
    generator_cpu: float


class Trial:
    """One contestant with so many readers."""

    def __init__(self, contestant: Contestant, readers: int, seconds: int, redis_url: str) -> None:
        self._contestant = contestant
        self._count = readers
        self._seconds = seconds
        self._redis = Redis.from_url(redis_url, decode_responses=True)

    def run(self, environ: dict[str, str], log: Path) -> Figures:
        with ExitStack() as stack:
            server = stack.enter_context(self._contestant.serve(environ, log))
            self._server = server
            token = servers.sign_in(server.port) if self._contestant is CRMAPP else ""
            self._target = {"port": server.port, "path": self._contestant.path, "token": token}
            self._readers = stack.enter_context(helper("readers"))
            user_id = environ["BENCHMARK_USER"]
            ways = (self._contestant.publishes, SESSION, user_id)
            self._publisher = stack.enter_context(helper("publisher", *ways, environ=environ))
            return self._measure()

    def _measure(self) -> Figures:
        self._open(WARM_UP_READERS)
        self._leave()
        connections = self._connections()
        empty = processes.memory_kib(self._server.worker)
        self._open(self._count)
        first = self._readers.ask("first")
        p50, p99, cpu, generator_cpu = self._steadily()
        full = processes.memory_kib(self._server.worker)
        subscriptions = len(self._redis.client_list(_type="pubsub"))
        burst, without_newest = self._burst()
        dropped = self._readers.ask("state")["dropped"]
        self._leave()
        poll(lambda: not processes.held_by_server(self._server.port), PATIENCE_SECONDS)
        left = processes.held_by_server(self._server.port)
        left_connections = self._connections() - connections
        self._open(self._count)
        again = processes.memory_kib(self._server.worker)
        return Figures(
            first_p50=first[len(first) // 2] if first else None,
            first_p99=first[int(len(first) * 0.99)] if first else None,
            p50=p50,
            p99=p99,
            cpu=cpu,
            burst=burst,
            kib_per_reader=(full - empty) / self._count,
            kib_again=max(0, again - full) / self._count,
            subscriptions=subscriptions,
            without_newest=without_newest,
            dropped=dropped,
            left=left,
            left_connections=max(0, left_connections),
            generator_cpu=generator_cpu,
        )

    def _open(self, count: int) -> None:
        """Connect so many and wait until all of them listen."""
        self._readers.ask("open", count=count, **self._target)
        poll(lambda: self._listening() >= count, PATIENCE_SECONDS)

    def _listening(self) -> int:
        if self._contestant is CRMAPP:
            return int(self._readers.ask("state")["told"])
        if self._contestant.subscribes:
            return len(self._redis.client_list(_type="pubsub"))
        return int(self._readers.ask("state")["answered"])

    def _steadily(self) -> tuple[float, float, float, float]:
        """p50 and p99 from publish to reader, the server's CPU time, and the load generator's share of a core."""
        pids = processes.tree(self._server.pid)
        self._readers.ask("forget")
        cpu, generator = processes.cpu_seconds(pids), self._readers.cpu_seconds
        published = self._publisher.ask("steady", rate=RATE, seconds=self._seconds)
        generator = self._readers.cpu_seconds - generator
        self._settle(published)
        cpu = processes.cpu_seconds(pids) - cpu
        latency = self._readers.ask("latency", published=published)
        return latency["p50"], latency["p99"], cpu, generator / self._seconds

    def _burst(self) -> tuple[float | None, int]:
        """Seconds after the burst until every reader has its newest state, and how many never got it."""
        published = self._publisher.ask("burst", count=BURST)
        arrived = self._settle(published)
        missing = self._count - arrived["count"]
        return (None if missing else arrived["last"] - max(published.values())), missing

    def _settle(self, published: dict[str, float]) -> dict[str, Any]:
        """Wait until every reader has the newest state, or patience ends."""
        rev = max(map(int, published))
        poll(
            lambda: self._readers.ask("arrived", rev=rev)["count"] >= self._count,
            PATIENCE_SECONDS,
            every=0.1,
        )
        return dict(self._readers.ask("arrived", rev=rev))

    def _leave(self) -> None:
        """All readers go. A server may notice that only when it writes to them, so there is something to write."""
        self._readers.ask("close")
        self._publisher.ask("steady", rate=5, seconds=2)

    def _connections(self) -> int:
        return len(self._redis.client_list())


def measure(settings: Settings, sizes: list[int], seconds: int, rounds: int) -> Results:
    """Every contestant at every size, interleaved."""
    uri, db = servers.new_database(settings, "stream")
    admin = servers.add_admin(db)
    db.activation_progress.insert_one(publisher.progress(SESSION, admin.id, 1))
    environ = servers.environ_of(settings, uri, RUN_WORKERS="0", BENCHMARK_USER=admin.id)
    results: Results = {}
    for _ in range(rounds):
        for size in sizes:
            for contestant in CONTESTANTS:
                trial = Trial(contestant, size, seconds, str(settings.redis_url))
                log = settings.data_dir / f"{contestant.publishes}.log"
                figures = trial.run(environ, log)
                results.setdefault((size, contestant.name), []).append(figures)
    db.client.close()
    return results


Results = dict[tuple[int, str], list[Figures]]


class Report:
    """Puts the results into the table, size by size."""

    def __init__(self, table: Table, results: Results) -> None:
        self._table = table
        self._results = results

    def size(self, readers: int) -> None:
        self._readers = readers
        ms = 1000
        self._row("time to first event, p50, ms", "first_p50", ms)
        self._row("time to first event, p99, ms", "first_p99", ms)
        self._row("publish to reader, p50, ms", "p50", ms)
        limit = {1000: 150, 3000: 300}.get(readers)
        self._row("publish to reader, p99, ms", "p99", ms, limit)
        self._cpu()
        self._row(
            "after the burst all are at the newest, s", "burst", 1, 0.3 if readers == 1000 else None
        )
        self._row("readers without the newest state", "without_newest", 1, 0)
        self._row("readers dropped", "dropped", 1, 0)
        self._row("memory a reader, KiB", "kib_per_reader", 1, 20 if readers == 1000 else None)
        self._row("more memory for the same number again, KiB a reader", "kib_again")
        self._row("pub/sub connections", "subscriptions", 1, 1)
        self._row("connections of readers left behind", "left", 1, 0)
        self._row("Valkey connections left behind", "left_connections", 1, 0)
        self._row("load generator, share of a core", "generator_cpu")

    def _row(self, label: str, name: str, factor: float = 1, limit: float | None = None) -> None:
        values = [self._value(contestant, name) for contestant in CONTESTANTS]
        goal = None
        if limit is not None:
            own = values[0]
            met = own is not None and own * factor <= limit
            goal = Goal(f"at most {number(limit)}" if limit else "none", met)
        shown = [number(None if value is None else value * factor) for value in values]
        self._table.row(f"{self._readers:,}: {label}", *shown, goal=goal)

    def _cpu(self) -> None:
        own, shared, _, flask_sse = (self._value(c, "cpu") or 0.0 for c in CONTESTANTS)
        values = [number(self._value(contestant, "cpu")) for contestant in CONTESTANTS]
        to_flask_sse, to_shared = flask_sse / own, shared / own
        self._table.row(
            f"{self._readers:,}: CPU of the server, s",
            *values,
            ratio=f"{times(to_flask_sse)} flask-sse, {times(to_shared)} shared",
            goal=Goal("15 x and 6 x less", to_flask_sse >= 15 and to_shared >= 6)
            if self._readers == 1000
            else None,
        )

    def _value(self, contestant: Contestant, name: str) -> float | None:
        runs = [getattr(run, name) for run in self._results[self._readers, contestant.name]]
        happened = [value for value in runs if value is not None]
        return median(happened) if len(happened) == len(runs) else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="50 and 200 readers for 3 s")
    parser.add_argument("--readers", type=int, nargs="+", help="instead of 100, 1000 and 3000")
    parser.add_argument("--rounds", type=int, default=1, help="medians of so many runs")
    arguments = parser.parse_args()
    sizes = arguments.readers or ([50, 200] if arguments.quick else [100, 1000, 3000])
    seconds = 3 if arguments.quick else 10
    with servers.parts() as settings:
        results = measure(settings, sizes, seconds, arguments.rounds)
    names = [contestant.name for contestant in CONTESTANTS]
    table = Table(f"Stream: {RATE} updates a second for {seconds} s, then {BURST:,} at once", names)
    report = Report(table, results)
    for size in sizes:
        report.size(size)
    table.note(
        "CPU: of the server's processes, from the first update until every reader had the last one."
    )
    table.note(
        "flask-sse and sse-starlette send no snapshot, so their first event is the next update: -"
    )
    table.note(f"A dash after the burst: not within {PATIENCE_SECONDS} s.")
    table.show()


if __name__ == "__main__":
    main()
