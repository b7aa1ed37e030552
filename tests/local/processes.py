"""The processes of the embedded servers."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path


def server_pids(data_dir: Path) -> list[int]:
    """The processes on this machine that serve from `data_dir`."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            arguments = _arguments(int(entry.name))
            if "--port" in arguments and any(text.startswith(f"{data_dir}/") for text in arguments):
                found.append(int(entry.name))
    return found


def pid_of(name: str, data_dir: Path) -> int:
    """The process that the state file of a server names."""
    return json.loads((data_dir / f"{name}.json").read_text())["pid"]


def kill(pid: int) -> None:
    """SIGKILL a server and wait until it has ended."""
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not _arguments(pid))


def wait_for(condition: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def _arguments(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")[:-1]
    except OSError:
        return []
