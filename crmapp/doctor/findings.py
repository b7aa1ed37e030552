"""What a check found."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Level(StrEnum):
    OK = "ok"
    WARN = "warn"  # it works, and could be better or may soon not work
    FAULT = "fault"


class Finding(NamedTuple):
    """`advice` says what to do; there is none where all is well."""

    check: str
    level: Level
    text: str
    advice: str = ""


def ok(check: str, text: str) -> Finding:
    return Finding(check, Level.OK, text)


def warn(check: str, text: str, advice: str) -> Finding:
    return Finding(check, Level.WARN, text, advice)


def fault(check: str, text: str, advice: str) -> Finding:
    return Finding(check, Level.FAULT, text, advice)
