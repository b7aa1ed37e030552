"""Reads that a page can do without: better it says that one of them took too long than it comes late."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pymongo
from pymongo.errors import PyMongoError

T = TypeVar("T")


def within(seconds: float, read: Callable[[], T]) -> T | None:
    """What `read()` answers, or None where the database takes longer for it than `seconds`."""
    try:
        with pymongo.timeout(seconds):
            return read()
    except PyMongoError as error:
        if error.timeout:
            return None
        raise
