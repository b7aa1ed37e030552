"""Keeps projections up with what they show, at most so often, and always after the last change."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from pymongo.errors import PyMongoError

log = logging.getLogger(__name__)

# Counting may take a tenth of the time.
COST_SHARE = 0.1
# One slow answer is no reason to stand still for long.
LONGEST_PAUSE = 1.0
RETRY_SECONDS = 1.0


class Projector:
    """`project` brings the projection of one key up to date; `interval` is the least time in seconds between two
    projections of that key."""

    def __init__(self, project: Callable[[str], None], interval: Callable[[str], float]) -> None:
        self._project = project
        self._interval = interval
        self._touched: set[str] = set()
        self._next_at: dict[str, float] = {}
        self._bell = threading.Event()

    def touch(self, key: str) -> None:
        """What `key` shows may have changed."""
        self._touched.add(key)
        self._bell.set()

    def loop(self, stopping: threading.Event) -> None:
        """Step until told to stop; then once more for each key that is left."""
        while not stopping.is_set():
            self._bell.clear()
            pause = self.step()
            self._bell.wait(timeout=1.0 if pause is None else pause)
        self._next_at.clear()
        self.step()

    def step(self) -> float | None:
        """Project every key that is due. Returns the seconds until the next one is, None where nothing waits."""
        for key in list(self._touched):
            if self._next_at.get(key, 0.0) <= time.monotonic():
                self._touched.discard(key)
                self._project_one(key)
        now = time.monotonic()
        self._next_at = {key: at for key, at in self._next_at.items() if at > now}
        waits = [self._next_at.get(key, now) - now for key in list(self._touched)]
        return max(0.0, min(waits)) if waits else None

    def _project_one(self, key: str) -> None:
        began = time.monotonic()
        try:
            self._project(key)
        except Exception as error:
            log.warning(
                "no projection of %s: %s", key, error, exc_info=not isinstance(error, PyMongoError)
            )
            self._touched.add(key)
            self._next_at[key] = began + RETRY_SECONDS
            return
        cost = time.monotonic() - began
        pause = min(cost / COST_SHARE, LONGEST_PAUSE)
        self._next_at[key] = began + max(self._interval(key), pause)
