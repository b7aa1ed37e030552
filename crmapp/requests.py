"""Reading what a request brings, strictly: a JSON value is never handed to MongoDB unless its type was checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from bson import ObjectId
from flask import request

# JSON can hold these; MongoDB takes no NUL in a pattern, and UTF-8 has no form for a lone surrogate.
_UNSTORABLE = re.compile(r"[\0\ud800-\udfff]")


class BadInput(ValueError):
    """What came cannot be used. Its text says what was wrong and what to do; `status` is the answer's."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


def json_object() -> dict[str, Any]:
    """The body, which must be a JSON object. Raises BadInput."""
    if not request.is_json:
        raise BadInput("Send the body as JSON, with the Content-Type application/json.", 415)
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise BadInput("The body must be a JSON object.")
    return body


def text(values: Mapping[str, Any], name: str, most: int = 500) -> str:
    """The text under `name`, without spaces around it; empty where there is none. Raises BadInput."""
    return exact_text(values, name, most).strip()


def exact_text(values: Mapping[str, Any], name: str, most: int = 500) -> str:
    """The text under `name` as it came; empty where there is none. Raises BadInput."""
    value = values.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadInput(f"{name} must be text.")
    if len(value) > most:
        raise BadInput(f"{name} is longer than {most} characters.")
    if _UNSTORABLE.search(value):
        raise BadInput(f"{name} holds a character that no text has (NUL, or half of a pair).")
    return value


def number(values: Mapping[str, Any], name: str, default: int, most: int) -> int:
    """The whole number from 1 to `most` under `name`. Raises BadInput."""
    value = values.get(name) or default
    try:
        wanted = int(value)
    except (TypeError, ValueError):
        wanted = 0
    if not 1 <= wanted <= most:
        raise BadInput(f"{name} must be a whole number from 1 to {most:,}.")
    return wanted


def day(value: str, name: str) -> datetime:
    """The beginning of the day `value`, in UTC; `name` is what it was called. Raises BadInput."""
    try:
        return datetime.strptime(value, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise BadInput(f"{name} must be a day, like 2026-01-31.") from None


def day_after(value: str, name: str) -> datetime:
    """The end of the day `value`, in UTC. Raises BadInput."""
    try:
        return day(value, name) + timedelta(days=1)
    except OverflowError:
        raise BadInput(f"{name} must be a day, like 2026-01-31.") from None


def object_ids(value: Any, name: str, most: int, what: str = "lead") -> list[ObjectId]:
    """A list of the ids of `what`, each once, in the order in which they came. Raises BadInput."""
    if not isinstance(value, list):
        raise BadInput(f"{name} must be a list of ids.")
    if len(value) > most:
        raise BadInput(f"{name} holds more than {most:,} ids: use a filter instead.", 413)
    for item in value:
        if not isinstance(item, str) or not ObjectId.is_valid(item):
            raise BadInput(f"{name} holds {str(item)[:60]!r}, which is not the id of a {what}.")
    return list(dict.fromkeys(ObjectId(item) for item in value))
