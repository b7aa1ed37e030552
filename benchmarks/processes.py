"""What Linux says about a process, in /proc (see proc(5))."""

from __future__ import annotations

import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def tree(pid: int) -> list[int]:
    """The process and everything that descends from it."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(below for child in children for below in tree(int(child)))]


def cpu_seconds(pids: list[int]) -> float:
    """What these processes have used so far, in user and system mode."""
    return sum(sum(map(int, _after_name(pid)[11:13])) for pid in pids) / _TICKS


def memory_kib(pid: int, field: str = "VmRSS") -> int:
    """Resident memory; with `field` VmHWM the most that it ever was."""
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith(f"{field}:"))


def forget_peak(pid: int) -> None:
    """Let VmHWM begin anew: what was needed before (a sign-in's 64 MiB, say) counts no more."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def held_by_server(port: int) -> int:
    """How many connections that came in at `port` nobody has closed at the server's end."""
    rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    established, close_wait = "01", "08"
    return sum(
        row[1].endswith(f":{port:04X}") and row[3] in (established, close_wait) for row in rows
    )


def _after_name(pid: int) -> list[str]:
    # The name, in brackets, may hold spaces.
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
