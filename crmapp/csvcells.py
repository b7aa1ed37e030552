"""Writing CSV that a spreadsheet shows and does not run, and reading its cells again as they were."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

# A cell that begins with one of these is worked out as a formula, by some spreadsheets also with the wide signs. Their
# apostrophes are part of the pattern, so that what begins with one already can be told from what was given one.
_FORMULA = re.compile("'*[=+\\-@\t\r\n＝＋－＠]")
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
    return f"'{text}" if _FORMULA.match(text) else text


def text_of(cell: str) -> str:
    """The text that `cell` was made of: the apostrophe before what would be a formula is taken away again."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
