"""Many who ask the same thing at the same moment share one read, and nobody gets an answer older than the question."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class _Round(Generic[T]):
    """One read and those who wait for it."""

    def __init__(self) -> None:
        # A lock as a latch: those who wait pass it on. It costs a fraction of an Event.
        self._latch = threading.Lock()
        self._latch.acquire()
        self.answer: T | None = None
        self.error: BaseException | None = None

    def run(self, read: Callable[[], T]) -> None:
        try:
            self.answer = read()
        except BaseException as error:
            self.error = error
            raise
        finally:
            self._latch.release()

    def wait(self) -> None:
        with self._latch:
            pass

    def result(self) -> T:
        self.wait()
        if self.error is not None:
            raise self.error
        return self.answer  # type: ignore[return-value]


class Coalescer(Generic[T]):
    """Whoever comes while a read is under way waits for the next one, which begins after they asked."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._current: dict[Hashable, _Round[T]] = {}
        self._next: dict[Hashable, _Round[T]] = {}

    def read(self, key: Hashable, read: Callable[[], T]) -> T:
        """The answer of a `read()` for `key` that began after this call. Raises what `read` raises."""
        with self._lock:
            current = self._current.get(key)
            if current is None:
                mine = self._current[key] = _Round()
                leads = True
            else:
                leads = key not in self._next
                mine = self._next.setdefault(key, _Round())
        if leads:
            if current is not None:
                current.wait()
                with self._lock:
                    self._current[key] = self._next.pop(key)
            self._run(key, mine, read)
        return mine.result()

    def _run(self, key: Hashable, mine: _Round[T], read: Callable[[], T]) -> None:
        try:
            mine.run(read)
        finally:
            with self._lock:
                if self._current.get(key) is mine and key not in self._next:
                    del self._current[key]
