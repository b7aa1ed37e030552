"""Awaiting a condition instead of sleeping."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(condition: Callable[[], T], seconds: float = 20.0, what: str = "") -> T:
    """What `condition` returns once that is true. Fails the test when it stays false."""
    give_up_at = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > give_up_at:
            raise AssertionError(
                f"still not true after {seconds:g} s: {what or condition}; last {value!r}"
            )
        time.sleep(0.02)
