"""Forms, and JSON objects of the same fields. Each field is read on its own, so that a person hears at once of
everything that is wrong, each next to its field."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from flask import request

from crmapp.requests import BadInput, json_object, text

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)


class BadFields(BadInput):
    """`errors` says of each field that cannot be used what is wrong with it."""

    def __init__(self, errors: dict[str, str], status: int = 422) -> None:
        super().__init__(" ".join(errors.values()), status)
        self.errors = errors


def submitted(fields: Collection[str]) -> dict[str, Any]:
    """What a form, or a JSON object of these `fields`, brings. Raises BadInput."""
    if request.mimetype == "application/x-www-form-urlencoded":
        return request.form.to_dict()
    body = json_object()
    unknown = sorted(set(body) - set(fields))
    if unknown:
        raise BadInput(f"There is no field {unknown[0][:60]!r}. There are: {', '.join(fields)}.")
    return body


def read_each(readers: Mapping[str, Callable[[], Any]]) -> dict[str, Any]:
    """What each reader returns, by its field's name. Raises BadFields where any of them raises BadInput."""
    values, errors = {}, {}
    for name, read in readers.items():
        try:
            values[name] = read()
        except BadInput as error:
            sentence = str(error)
            errors[name] = sentence[:1].upper() + sentence[1:]
    if errors:
        raise BadFields(errors)
    return values


def needed(words: str, message: str) -> str:
    """`words`, of which there must be some: `message` says so. Raises BadInput."""
    if not words:
        raise BadInput(message)
    return words


def lines(values: Mapping[str, Any], name: str, most: int) -> str:
    """A text of several lines. Browsers end a line by CR LF, which is longer than what was typed. Raises BadInput."""
    value = values.get(name)
    if isinstance(value, str):
        value = value.replace("\r\n", "\n")
    return text({name: value}, name, most)


def one_of(values: Mapping[str, Any], name: str, choices: Collection[str]) -> str:
    """Raises BadInput for what is not among the `choices`."""
    wanted = text(values, name, most=60)
    if wanted not in choices:
        raise BadInput(f"{name} must be one of {', '.join(choices)}.")
    return wanted


def amount(values: Mapping[str, Any], name: str, most: float) -> float:
    """The number from 0 to `most` under `name`, as a whole one where it is. Raises BadInput."""
    value = values.get(name)
    try:
        wanted = math.nan if isinstance(value, bool) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        wanted = math.nan
    if not 0 <= wanted <= most:
        raise BadInput(f"{name} must be a number from 0 to {most:,}.")
    return int(wanted) if wanted.is_integer() else wanted


def moment(values: Mapping[str, Any], name: str) -> datetime:
    """The time under `name`, ISO 8601, in UTC where it names no other zone, to the millisecond. Raises BadInput."""
    try:
        time = datetime.fromisoformat(text(values, name, most=40))
        time = (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadInput(f"{name} must be a date and a time, like 2026-01-31T14:30.") from None
    if time < EARLIEST:
        raise BadInput(f"{name} is too long ago.")
    return time.replace(microsecond=time.microsecond // 1000 * 1000)
