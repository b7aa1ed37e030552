"""`python -m benchmarks.start`: from `make run` to the first 200 of /readyz.

Everything is installed: what is timed is what `make run` then starts, `python -m crmapp.local`. With `--fresh` also
`make run` in a fresh clone of what is committed, with pip's cache as warm as it is.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.servers import ROOT, answers, end_group, free_port
from benchmarks.tables import Goal, Table, median, number
from benchmarks.waiting import poll

GOAL_SECONDS = 4.0
LONGEST_SECONDS = 60
LONGEST_INSTALL_SECONDS = 600
STOP_SECONDS = 40


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="crmapp-bench-", ignore_cleanup_errors=True) as name:
        yield Path(name)


def start(command: list[str], cwd: Path, data_dir: Path, seconds: float) -> float:
    """Seconds from starting `command` to its first 200 of /readyz. It is ended again."""
    port = free_port()
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    kept |= {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    began = time.monotonic()
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env={**kept, "PORT": str(port), "DATA_DIR": str(data_dir)},
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        ended_or_ready = poll(
            lambda: process.poll() is not None or answers(port, "/readyz"), seconds
        )
        taken = time.monotonic() - began
        if not ended_or_ready or process.poll() is not None:
            raise RuntimeError(f"{' '.join(command)} was not ready within {seconds:g} s")
        return taken
    finally:
        # It ends the embedded servers too, which takes mongod a moment.
        end_group(process, STOP_SECONDS)


def installed(rounds: int) -> tuple[list[float], list[float]]:
    """Seconds of first and of second starts."""
    command = [sys.executable, "-m", "crmapp.local"]
    first: list[float] = []
    second: list[float] = []
    for _ in range(rounds):
        with folder() as data_dir:
            for times in (first, second):
                times.append(start(command, ROOT, data_dir / "instance", LONGEST_SECONDS))
    return first, second


def fresh() -> float:
    """Seconds of `make run` in a fresh clone."""
    with folder() as place:
        subprocess.run(["git", "clone", "--quiet", ROOT, place / "clone"], check=True)
        command = ["make", "run", f"PYTHON={sys.executable}"]
        return start(command, place / "clone", place / "instance", LONGEST_INSTALL_SECONDS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="one round")
    parser.add_argument(
        "--fresh", action="store_true", help="a fresh clone too, which installs all"
    )
    arguments = parser.parse_args()
    rounds = 1 if arguments.quick else 5
    first, second = installed(rounds)
    table = Table(
        f"Start: seconds to the first 200 of /readyz, medians of {rounds}", ["s", "slowest"]
    )
    for label, taken in (("first start, empty data directory", first), ("second start", second)):
        goal = Goal(f"at most {GOAL_SECONDS:g}", median(taken) <= GOAL_SECONDS)
        table.row(label, number(median(taken)), number(max(taken)), goal=goal)
    if arguments.fresh:
        table.row("`make run` in a fresh clone", number(fresh()))
    table.show()


if __name__ == "__main__":
    main()
