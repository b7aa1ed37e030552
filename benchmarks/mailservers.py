"""Mail servers that take everything and count it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from benchmarks.helper import Helper, helper
from benchmarks.servers import end_group, free_port
from benchmarks.waiting import until

# Debian keeps them where only root's PATH looks.
_PATH = f"{os.environ['PATH']}:/usr/sbin"
SMTP_SINK = shutil.which("smtp-sink", path=_PATH)
SMTP_SOURCE = shutil.which("smtp-source", path=_PATH)
BACKLOG = 128
NO_LONGER_THAN = 200  # bytes, of the counters that smtp-sink prints


class MailServer(Protocol):
    port: int

    def taken(self) -> int:
        """How many mails so far."""


class SmtpSink:
    def __init__(self, port: int, counters: Path) -> None:
        self.port = port
        self._counters = counters

    def taken(self) -> int:
        with self._counters.open("rb") as file:
            file.seek(max(0, self._counters.stat().st_size - NO_LONGER_THAN))
            found = re.findall(rb"mesg=(\d+)\r", file.read())
        return int(found[-1]) if found else 0


class PythonSink:
    """`benchmarks.sink`."""

    def __init__(self, sink: Helper) -> None:
        self._sink = sink
        self.port = int(sink.greeting["port"])

    def taken(self) -> int:
        return int(self._sink.ask("state")["taken"])

    @property
    def last_at(self) -> float:
        """When the 250 of the last mail left, by time.time()."""
        return float(self._sink.ask("state")["lastAt"])


@contextmanager
def smtp_sink() -> Iterator[SmtpSink]:
    """Postfix's, in C. Raises RuntimeError where it is missing."""
    if SMTP_SINK is None:
        raise RuntimeError("smtp-sink is missing: apt-get install postfix")
    port = free_port()
    # It refuses to run as root.
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    with tempfile.NamedTemporaryFile() as counters:
        process = subprocess.Popen(
            [SMTP_SINK, *user, "-c", f"127.0.0.1:{port}", str(BACKLOG)],
            stdout=counters,
            start_new_session=True,
        )
        try:
            until(lambda: _listens(port), 5, "smtp-sink listens")
            yield SmtpSink(port, Path(counters.name))
        finally:
            end_group(process)


def _listens(port: int) -> bool:
    rows = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return any(row.split()[1].endswith(f":{port:04X}") and row.split()[3] == "0A" for row in rows)


@contextmanager
def python_sink(delay_ms: float = 0) -> Iterator[PythonSink]:
    """In Python, and `delay_ms` away."""
    with helper("sink", str(delay_ms)) as sink:
        yield PythonSink(sink)
