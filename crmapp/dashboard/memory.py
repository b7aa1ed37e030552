"""What was counted is remembered, so that whoever looks again and again costs little."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from crmapp import bounded
from crmapp.clock import now

T = TypeVar("T")

LONGEST_SECONDS = 30.0
SLOWEST_SECONDS = 3.0
# The share of the time that counting may take.
SHARE = 0.03


@dataclass(frozen=True)
class Counted(Generic[T]):
    """What was counted at a time; None where that took too long."""

    value: T | None
    at: datetime


class Memory:
    """What is quick to count is counted nearly every time, what is slow at most every LONGEST_SECONDS."""

    def __init__(self) -> None:
        self._locks: dict[str, threading.Lock] = {}
        self._kept: dict[str, tuple[float, Counted[object]]] = {}

    def of(self, name: str, count: Callable[[], T]) -> Counted[T]:
        """What `count()` answers, or has answered a short while ago; whoever asks meanwhile waits for the same."""
        with self._locks.setdefault(name, threading.Lock()):
            until, kept = self._kept.get(name, (0.0, None))
            if kept is None or time.monotonic() >= until:
                began, at = time.monotonic(), now()
                kept = Counted(bounded.within(SLOWEST_SECONDS, count), at)
                ended = time.monotonic()
                until = ended + min((ended - began) / SHARE, LONGEST_SECONDS)
                self._kept[name] = (until, kept)
            return kept  # type: ignore[return-value]
