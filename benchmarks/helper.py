"""A helper process that is told what to do in JSON, a line at a time, and answers each line with one."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.processes import cpu_seconds
from benchmarks.servers import ROOT, end_group


class Helper:
    """`greeting` is what it said once it was ready."""

    greeting: Any

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def tell(self, what: str, **values: Any) -> None:
        """Say what to do; `answer` has to follow, some time."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps({"do": what, **values}).encode() + b"\n")
        self._process.stdin.flush()

    def answer(self, timeout: float = 60) -> Any:
        """Raises TimeoutError where there is none in time, EOFError where the helper has ended."""
        assert self._process.stdout
        if not select.select([self._process.stdout], [], [], timeout)[0]:
            raise TimeoutError(f"{self._process.args!r} says nothing for {timeout:g} s")
        line = self._process.stdout.readline()
        if not line:
            raise EOFError(f"{self._process.args!r} has ended")
        return json.loads(line)

    def ask(self, what: str, **values: Any) -> Any:
        self.tell(what, **values)
        return self.answer()

    @property
    def cpu_seconds(self) -> float:
        return cpu_seconds([self._process.pid])


@contextmanager
def helper(module: str, *arguments: str, environ: dict[str, str] | None = None) -> Iterator[Helper]:
    """Run `benchmarks.<module>` as a helper until the end of the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", f"benchmarks.{module}", *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **(environ or {})},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        helping = Helper(process)
        helping.greeting = helping.answer()
        yield helping
    finally:
        end_group(process)
