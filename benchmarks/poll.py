"""`python -m benchmarks.poll`: the progress of a session by poll, with sign-in and role checked every time.

One worker process each, 32 keep-alive connections, every contestant in turn, round after round.
"""

from __future__ import annotations

import argparse
import time
from contextlib import ExitStack

from benchmarks import publisher, servers
from benchmarks.load import Load, generator, load
from benchmarks.tables import Goal, Table, median, number, times
from benchmarks.waiting import until
from config import Settings
from crmapp.database import Db

SESSION = "activation_1700000000000_benchmark"
CRMAPP = "crmapp"
BARE = "bare Flask route"
FASTAPI = "FastAPI, no sign-in"
FRESH, UNCHANGED = "fresh", "304"
DISABLED_SECONDS = 2.0

Asked = tuple[int, str, dict[str, str]]
Results = dict[tuple[str, str], list[Load]]


class Benchmark:
    def __init__(self, settings: Settings, seconds: int, rounds: int) -> None:
        self._settings = settings
        self._seconds = seconds
        self._rounds = rounds
        self.results: Results = {}
        self.disabled_after = 0.0

    def run(self) -> None:
        uri, db = servers.new_database(self._settings, "poll")
        admin = servers.add_admin(db)
        db.activation_progress.insert_one(publisher.progress(SESSION, admin.id, 1))
        environ = servers.environ_of(self._settings, uri, RUN_WORKERS="0")
        log = self._settings.data_dir
        with ExitStack() as stack:
            own = stack.enter_context(servers.crmapp_server(environ, log / "crmapp.log"))
            bare = stack.enter_context(
                servers.gunicorn("benchmarks.peers.poll_flask:app", environ, log / "flask.log")
            )
            fastapi = stack.enter_context(
                servers.uvicorn("benchmarks.peers.poll_fastapi:app", environ, log / "fastapi.log")
            )
            token = servers.sign_in(own.port)
            signed_in = {"Authorization": f"Bearer {token}"}
            path = f"/crm/activation/progress/{SESSION}"
            unchanged = {"If-None-Match": '"1"'}
            asked: dict[tuple[str, str], Asked] = {
                (CRMAPP, FRESH): (own.port, path, signed_in),
                (CRMAPP, UNCHANGED): (own.port, path, {**signed_in, **unchanged}),
                (BARE, FRESH): (bare.port, "/progress", {}),
                (FASTAPI, FRESH): (fastapi.port, f"/progress/{SESSION}", {}),
                (FASTAPI, UNCHANGED): (fastapi.port, f"/progress/{SESSION}", unchanged),
            }
            self._ask_in_turn(asked)
            self.disabled_after = self._disable(db, own.port, path, token)
        db.client.close()

    def _ask_in_turn(self, asked: dict[tuple[str, str], Asked]) -> None:
        for contestant in asked.values():
            load(*contestant, seconds=1)
        for _ in range(self._rounds):
            for name, contestant in asked.items():
                answered = load(*contestant, seconds=self._seconds)
                if answered.refused:
                    raise RuntimeError(f"{name}: {answered.refused} requests were refused")
                self.results.setdefault(name, []).append(answered)

    def _disable(self, db: Db, port: int, path: str, token: str) -> float:
        """Seconds from disabling a user until their poll is refused."""
        servers.call(port, "GET", path, token=token)
        db.users.update_one({"email": servers.EMAIL}, {"$set": {"status": "disabled"}})
        began = time.monotonic()
        until(lambda: servers.call(port, "GET", path, token=token)[0] == 401, 10, "polling ends")
        return time.monotonic() - began


class Report:
    """Puts what was measured into the table."""

    def __init__(self, table: Table, benchmark: Benchmark) -> None:
        self._table = table
        self._benchmark = benchmark

    def fill(self) -> None:
        bare = self._median(BARE, FRESH, "rate") or 0.0
        for kind in (FRESH, UNCHANGED):
            own, fastapi = (self._median(who, kind, "rate") or 0.0 for who in (CRMAPP, FASTAPI))
            self._table.row(
                f"{kind}: requests/s",
                *self._figures(kind, "rate", 1),
                ratio=f"{times(own / bare)} bare, {times(own / fastapi)} FastAPI",
                goal=Goal("0.5 x bare, ahead of FastAPI", own >= bare / 2 and own > fastapi),
            )
            self._table.row(f"{kind}: p99, ms", *self._figures(kind, "p99", 1000))
        after = self._benchmark.disabled_after
        goal = Goal(f"within {DISABLED_SECONDS:g} s", after <= DISABLED_SECONDS)
        self._table.row("a disabled user polls no more after, s", number(after), goal=goal)

    def _figures(self, kind: str, name: str, factor: float) -> list[str]:
        values = [self._median(who, kind, name) for who in (CRMAPP, BARE, FASTAPI)]
        return [number(None if value is None else value * factor) for value in values]

    def _median(self, who: str, kind: str, name: str) -> float | None:
        # The bare route has nothing that could be unchanged.
        runs = self._benchmark.results.get((who, FRESH if who == BARE else kind))
        return median([getattr(run, name) for run in runs]) if runs else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="one round of 2 s each")
    parser.add_argument("--rounds", type=int, help="medians of so many rounds (5)")
    arguments = parser.parse_args()
    rounds = arguments.rounds or (1 if arguments.quick else 5)
    with servers.parts() as settings:
        benchmark = Benchmark(settings, 2 if arguments.quick else 4, rounds)
        benchmark.run()
    table = Table(f"Poll: 32 keep-alive connections, medians of {rounds}", [CRMAPP, BARE, FASTAPI])
    Report(table, benchmark).fill()
    table.note(generator())
    table.show()


if __name__ == "__main__":
    main()
