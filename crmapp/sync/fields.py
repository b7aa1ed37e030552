"""Reading the fields of an item strictly: what is not of the type that it should be is a BadItem, never a crash."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from bson import ObjectId

from crmapp.sync.source import BadItem, Reason

LONGEST_TEXT = 100_000
LONGEST_LINE = 1000
LONGEST_TITLE = 120

NAMES: dict[type, str] = {
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "text",
    dict: "an object",
    list: "a list",
    bytes: "binary data",
    datetime: "a time",
    ObjectId: "an id",
}


def text(item: Mapping[str, Any], name: str, *, most: int = LONGEST_LINE) -> str:
    """The text under `name` without spaces around it; empty where there is none."""
    value = item.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _wrong(name, value, "text")
    if len(value) > most:
        raise BadItem(
            Reason.TOO_LONG, f"{name} has {len(value):,} characters; {most:,} are the most."
        )
    return value.strip()


def needed_text(item: Mapping[str, Any], name: str, *, most: int = LONGEST_LINE) -> str:
    """The text under `name`, of which there must be some."""
    value = text(item, name, most=most)
    if not value:
        raise _missing(name)
    return value


def one_of(item: Mapping[str, Any], name: str, choices: Collection[str]) -> str:
    value = needed_text(item, name)
    if value not in choices:
        words = f"{name} is {value[:60]!r}; it must be one of {', '.join(choices)}."
        raise BadItem(Reason.UNKNOWN_VALUE, words)
    return value


def identity(item: Mapping[str, Any], name: str) -> ObjectId | None:
    value = item.get(name)
    if value is not None and not isinstance(value, ObjectId):
        raise _wrong(name, value, "an id")
    return value


def time(item: Mapping[str, Any], name: str) -> datetime | None:
    value = item.get(name)
    # MongoDB's times reach further than Python's, which come as DatetimeMS then.
    if value is not None and not isinstance(value, datetime):
        raise _wrong(name, value, "a time between the years 1 and 9999")
    return value


def needed_time(item: Mapping[str, Any], name: str) -> datetime:
    value = time(item, name)
    if value is None:
        raise _missing(name)
    return value


def needed_number(item: Mapping[str, Any], name: str) -> float:
    """A finite number, as a whole one where it is."""
    value = item.get(name)
    if value is None:
        raise _missing(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong(name, value, "a number")
    if not math.isfinite(value):
        raise BadItem(Reason.WRONG_TYPE, f"{name} is {value}; it should be a finite number.")
    return int(value) if float(value).is_integer() else value


def first_line(words: str) -> str:
    """The first line of `words`, cut to the length of a title."""
    line = words.lstrip()[: 2 * LONGEST_TITLE].partition("\n")[0].strip()
    return line if len(line) <= LONGEST_TITLE else line[: LONGEST_TITLE - 1].rstrip() + "…"


def _missing(name: str) -> BadItem:
    return BadItem(Reason.MISSING, f"{name} is missing.")


def _wrong(name: str, value: Any, wanted: str) -> BadItem:
    is_a = next((words for kind, words in NAMES.items() if isinstance(value, kind)), None)
    words = f"{name} is {is_a or type(value).__name__}; it should be {wanted}."
    return BadItem(Reason.WRONG_TYPE, words)
