"""Waiting for a condition, never for ever."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(condition: Callable[[], T], seconds: float, what: str) -> T:
    """What `condition` returns once that is true. Raises TimeoutError after `seconds`."""
    value = poll(condition, seconds)
    if not value:
        raise TimeoutError(f"{what}: not within {seconds:g} s")
    return value


def poll(condition: Callable[[], T], seconds: float, every: float = 0.02) -> T:
    """What `condition` returns once that is true, or what it returns last, after `seconds`."""
    give_up_at = time.monotonic() + seconds
    while not (value := condition()) and time.monotonic() < give_up_at:
        time.sleep(every)
    return value
