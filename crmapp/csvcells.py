"""Writing CSV that a spreadsheet shows and does not run."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

# A cell that begins with one of these is worked out as a formula.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
BLOCK_CHARACTERS = 16 * 1024


def to_csv(header: Sequence[str], rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    """The file in pieces of some kilobytes, as `rows` come. Times are told in UTC (ISO 8601), None is empty."""
    block = io.StringIO()
    writer = csv.writer(block)
    writer.writerow(header)
    for row in rows:
        writer.writerow([cell(value) for value in row])
        if block.tell() > BLOCK_CHARACTERS:
            yield block.getvalue()
            block.seek(0)
            block.truncate()
    yield block.getvalue()


def cell(value: Any) -> str:
    """`value` as the text of a cell, with an apostrophe before what would be a formula."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    text = str(value)
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
