"""Small files in DATA_DIR that several processes share: locks and whole-file writes."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def open_lock(path: Path) -> int:
    """Open a lock file and return its descriptor, which programs started from here do not get."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def lock(fd: int, kind: int) -> None:
    """Wait for a lock of `kind` (fcntl.LOCK_SH or LOCK_EX)."""
    # Asked for again and again, because a blocking flock would stop every greenlet of the process,
    # also the one that holds the lock.
    while not try_lock(fd, kind):
        time.sleep(0.005)


def try_lock(fd: int, kind: int) -> bool:
    """Take a lock of `kind` if it can be had now. On failure a lock held before is gone."""
    with suppress(BlockingIOError):
        fcntl.flock(fd, kind | fcntl.LOCK_NB)
        return True
    return False


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the exclusive lock on `path`."""
    fd = open_lock(path)
    try:
        lock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def write_whole(path: Path, text: str) -> None:
    """Write a file, readable by its owner only, so that a reader sees the old or the new text."""
    new = path.with_name(f"{path.name}.{os.getpid()}.new")
    new.unlink(missing_ok=True)
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
