"""`python -m benchmarks.drain`: how fast queued mail leaves, how soon, and what a long queue costs."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from benchmarks import servers
from benchmarks.contest import CONTESTANTS, PEERS, Contest, run
from benchmarks.mailservers import SMTP_SINK, python_sink, smtp_sink
from benchmarks.tables import Goal, Table, median, number, percentile, times
from benchmarks.worker import CLAIM, counting, latency, memory
from config import Settings

PARTS = ("fast", "slow", "latency", "counting", "memory")
LEAST_FAST, LEAST_OF_LOOP, LEAST_SLOW = 4.0, 0.4, 5.0
SLOW_MS = 10
CONNECTIONS = 20
SLOW_CONTESTANTS = ("crmapp 1", "post_office 2", "Celery gevent 50")
MISSING = "smtp-sink is missing (apt-get install postfix): a server in Python takes the mails, and may be the limit."


def show_rates(
    title: str, rates: dict[str, float | None], least: float, notes: Sequence[str]
) -> None:
    peers = {name: rate for name, rate in rates.items() if name in PEERS and rate}
    fastest = max(peers, key=lambda name: peers[name])
    loop = rates.get("smtplib loop")
    table = Table(title, ["mails/s"])
    for name, rate in rates.items():
        if rate is None:
            table.row(name, number(rate))
            continue
        to_peer = rate / peers[fastest]
        ratios, wanted = [f"{times(to_peer)} {fastest}"], [f"{least:g} x peer"]
        met = to_peer >= least
        if loop:
            ratios.append(f"{times(rate / loop)} loop")
            wanted.append(f"{LEAST_OF_LOOP:g} x loop")
            met = met and rate / loop >= LEAST_OF_LOOP
        goal = Goal(", ".join(wanted), met) if name.startswith("crmapp") else None
        table.row(name, number(rate), ratio=", ".join(ratios), goal=goal)
    for note in notes:
        table.note(note)
    table.show()


class Benchmark:
    def __init__(self, settings: Settings, quick: bool, rounds: int) -> None:
        self._settings = settings
        self._quick = quick
        self._rounds = rounds
        self._count = 1000 if quick else 5000

    def fast(self) -> None:
        mail_servers = smtp_sink if SMTP_SINK else python_sink
        contest = Contest(self._settings, mail_servers, self._count, CONNECTIONS)
        rates = run(contest, list(CONTESTANTS), self._rounds)
        notes = [
            f"crmapp with {CONNECTIONS} connections for each worker process, post_office with as many threads in all.",
            f"A letter has {contest.letter_bytes:,.0f} bytes.",
        ]
        if not SMTP_SINK:
            notes.append(MISSING)
        title = f"Drain of {self._count:,} mails to a fast server, medians of {self._rounds}"
        show_rates(title, rates, LEAST_FAST, notes)

    def slow(self) -> None:
        contest = Contest(self._settings, lambda: python_sink(SLOW_MS), self._count, CONNECTIONS)
        rates = run(contest, SLOW_CONTESTANTS, self._rounds)
        notes = [
            f"crmapp with {CONNECTIONS} connections, post_office with as many threads, Celery with 50 greenlets."
        ]
        title = f"The same to a server {SLOW_MS} ms away, {self._count:,} mails, medians of {self._rounds}"
        show_rates(title, rates, LEAST_SLOW, notes)

    def latency(self) -> None:
        taken = [1000 * seconds for seconds in latency(self._settings, 10 if self._quick else 50)]
        table = Table(
            f"From a chunk's commit to the 250 of its first mail, {len(taken)} times", ["ms"]
        )
        p50, p99 = percentile(taken, 0.5), percentile(taken, 0.99)
        table.row("p50", number(p50), goal=Goal("at most 20", p50 <= 20))
        table.row("p99", number(p99))
        table.note("Up to 1 ms of it is MongoDB's rounding of the time of the commit.")
        table.show()

    def counting(self) -> None:
        short, long = 1000, 50_000 if self._quick else 1_000_000
        costs = counting(self._settings, (short, long), 50)
        table = Table(
            "A long queue, in ms: medians of 50",
            [f"{size:,} mails" for size in costs] + ["slowest"],
        )
        for label, name in (
            ("status", "status"),
            (f"claim of {CLAIM}", "claim"),
            (f"claim of {CLAIM} with a look for sessions", "first_claim"),
        ):
            figures = {size: getattr(cost, name) for size, cost in costs.items()}
            few, many = (1000 * median(figures[size]) for size in (short, long))
            goal = None
            if name == "status":
                goal = Goal("at most 5", many <= 5)
            elif name == "claim":
                goal = Goal("at most 1.3 x", many / few <= 1.3)
            slowest = number(1000 * max(figures[long]))
            table.row(label, number(few), number(many), slowest, ratio=times(many / few), goal=goal)
        table.show()

    def memory(self) -> None:
        count = 10_000 if self._quick else 100_000
        with (smtp_sink if SMTP_SINK else python_sink)() as taker:
            found = memory(self._settings, taker, count)
        table = Table(f"Memory of the worker while {count:,} mails leave", ["MiB"])
        for share, mib in found.items():
            table.row(f"after {share:.0%}", number(mib))
        more = found[1.0] / found[0.1]
        table.row("end against a tenth", ratio=times(more), goal=Goal("at most 1.1 x", more <= 1.1))
        table.show()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, one round")
    parser.add_argument("--rounds", type=int, help="medians of so many runs (3)")
    parser.add_argument(
        "--only", choices=PARTS, action="append", help="this part; more than once for more"
    )
    arguments = parser.parse_args()
    rounds = arguments.rounds or (1 if arguments.quick else 3)
    with servers.parts() as settings:
        benchmark = Benchmark(settings, arguments.quick, rounds)
        for part in arguments.only or PARTS:
            getattr(benchmark, part)()


if __name__ == "__main__":
    main()
