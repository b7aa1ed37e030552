"""Reading the CSV files that CRMs and spreadsheets export, a row at a time."""

from __future__ import annotations

import codecs
import csv
import re
from collections import deque
from collections.abc import Iterator
from itertools import chain
from typing import IO, NamedTuple

from crmapp.leads.headings import Columns

# What one row may span. A quote that is never closed runs into these instead of to the file's end.
MAX_ROW_LINES = 1000
MAX_ROW_CHARACTERS = csv.field_size_limit()  # 131,072

_BLOCK = 64 * 1024
_DELIMITERS = ",;\t|"
_MAGIC = {
    b"PK\x03\x04": "an Excel workbook or a ZIP archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"%PDF": "a PDF",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"\x1f\x8b": "a compressed file",
    b"{\\rtf": "a text document",
    b"BEGIN:VCARD": "a vCard file",
    b"<": "a web page or an XML file",
}
_CONTROL_CHARACTERS = bytes(set(range(32)) - set(b"\t\n\v\f\r"))
_BLANKS_AFTER_QUOTE = re.compile(r'" +(?=[,;\t|]|$)')
_HEADINGS_WANTED = "The first row must hold the headings, such as Name, Email and Company."
_SAVE_AS_CSV = "Save it as CSV (in Excel: File, Save As, CSV UTF-8) and import that file."


class NotACsv(ValueError):
    """A file that cannot be read as a list of leads. Its text says why and what to do."""


class Row(NamedTuple):
    """A row: the number of the line on which it begins, and the lead's fields that it holds."""

    number: int
    values: dict[str, str]


class BadRow(NamedTuple):
    """A row that cannot be read: the number of the line on which it begins, and the reason."""

    number: int
    reason: str


def read(stream: IO[bytes]) -> Iterator[Row | BadRow]:
    """Read a CSV with headings from a binary stream without holding it in memory.

    The encoding (UTF-8, UTF-16 with a byte order mark, else Windows-1252), the delimiter and the
    columns are found out. Rows are numbered as a text editor numbers lines: the heading is
    usually row 1, and a row with quoted line breaks has the number of its first line. Empty lines
    and lines of empty cells are no rows. What follows a row with broken quoting is read afresh
    from the next line.

    Raises NotACsv before the first row for a file that is empty, is not text, or has no heading
    for an e-mail address.
    """
    lines = _Lines(_decoded(_split(_utf8_blocks(stream))))
    delimiter, columns = _headings(lines)
    return _rows(lines, delimiter, columns)


def _utf8_blocks(stream: IO[bytes]) -> Iterator[bytes]:
    """The stream's blocks; UTF-16 becomes UTF-8, other encodings stay as they are."""
    first = stream.read(_BLOCK)
    blocks: Iterator[bytes] = chain([first], iter(lambda: stream.read(_BLOCK), b""))
    if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        decoder = codecs.getincrementaldecoder("utf-16")("replace")
        blocks = (decoder.decode(block).encode() for block in blocks)
    else:
        _refuse_other_formats(first.removeprefix(codecs.BOM_UTF8))
    return (block.replace(b"\0", b"") for block in blocks)


def _refuse_other_formats(start: bytes) -> None:
    for magic, name in _MAGIC.items():
        if start.lstrip().startswith(magic):
            raise NotACsv(f"This is {name}, not a CSV file. {_SAVE_AS_CSV}")
    if len(start.translate(None, _CONTROL_CHARACTERS)) < 0.95 * len(start):
        raise NotACsv(f"This is not a text file. {_SAVE_AS_CSV}")


def _split(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The lines of the blocks, ended by CRLF, LF or CR, without their ends."""
    rest = b""
    for block in blocks:
        lines = (rest + block).splitlines(keepends=True)
        rest = lines.pop() if lines else b""  # may go on in the next block, if only by its LF
        for line in lines:
            yield line.rstrip(b"\r\n")
        if len(rest) > 5 * MAX_ROW_CHARACTERS:  # no row: enough is kept to see that
            rest = rest[: 4 * MAX_ROW_CHARACTERS + 4] + rest[-1:]
    if rest:
        yield rest.rstrip(b"\r\n")


def _decoded(lines: Iterator[bytes]) -> Iterator[str]:
    """The lines as text. Each is looked at by itself: files that were glued together are mixed."""
    for line in lines:
        try:
            text = line.decode()
        except UnicodeDecodeError:
            text = line.decode("cp1252", "replace")
        text = text.replace("\xa0", " ").replace("\ufeff", "")
        # Blanks between a closing quote and the delimiter are the one thing `csv` is too strict on.
        yield _BLANKS_AFTER_QUOTE.sub('"', text) if '" ' in text else text


class _Lines:
    """Numbered lines of which some can be given back, to be read again."""

    def __init__(self, lines: Iterator[str]) -> None:
        self.number = 0  # of the line last read
        self.row_limit = MAX_ROW_LINES
        self._lines = lines
        self._given_back: deque[str] = deque()

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._given_back.popleft() if self._given_back else next(self._lines)
        self.number += 1
        return line

    def give_back(self, lines: list[str]) -> None:
        self._given_back.extendleft(reversed(lines))
        self.number -= len(lines)


def _headings(lines: _Lines) -> tuple[str, Columns]:
    """Read the first row. Returns the delimiter with which it makes most sense, and its columns."""
    filled = (line for line in lines if line.strip(' ",;|\t'))
    first = next(filled, None)
    delimiters = _DELIMITERS
    if first and (sep := re.match(r'"?sep=([^\w\s"]|\t)', first, re.IGNORECASE)):
        delimiters = sep[1]  # Excel's own way to name the delimiter, on a line before the headings
        first = next(filled, None)
    if first is None:
        raise NotACsv(f"The file is empty. {_HEADINGS_WANTED}")
    if len(first) > MAX_ROW_CHARACTERS:
        raise NotACsv(f"The first line is too long for headings. {_HEADINGS_WANTED}")

    def recognised(delimiter: str) -> int:
        reader = csv.reader([first], delimiter=delimiter, skipinitialspace=True)
        return Columns(next(reader)).recognised

    delimiter = max(delimiters, key=recognised)
    cells = _cells(first, lines, delimiter)
    if cells is None:
        raise NotACsv("The quoting of the first row is broken. Put a quote at both ends of a cell.")
    columns = Columns(cells)
    if not columns.has_email:
        raise NotACsv(
            f"The file has no headings. {_HEADINGS_WANTED}"
            if "@" in first
            else "No column for the e-mail address was found. "
            "Call it Email in the first row, which must hold the headings."
        )
    return delimiter, columns


def _rows(lines: _Lines, delimiter: str, columns: Columns) -> Iterator[Row | BadRow]:
    for first in lines:
        number = lines.number
        if len(first) > MAX_ROW_CHARACTERS:
            yield BadRow(number, f"row is longer than {MAX_ROW_CHARACTERS} characters")
            continue
        cells = _cells(first, lines, delimiter)
        if cells is None:
            yield BadRow(number, "broken quoting")
        elif any(map(str.strip, cells)):
            yield Row(number, columns.values(cells))


def _cells(first: str, lines: _Lines, delimiter: str) -> list[str] | None:
    """The cells of the row that begins with the line `first`, or None where its quoting is broken.

    Takes the further lines of the row from `lines`, or none of them where the quoting is broken.
    """
    if '"' not in first:
        return first.split(delimiter)
    taken: list[str] = []
    try:
        return next(
            csv.reader(
                _lines_of_a_row(first, lines, taken),
                delimiter=delimiter,
                skipinitialspace=True,
                strict=True,
            )
        )
    except csv.Error:
        lines.give_back(taken)
        return None


def _lines_of_a_row(first: str, lines: _Lines, taken: list[str]) -> Iterator[str]:
    yield first + "\n"
    characters = len(first)
    for line in lines:
        taken.append(line)
        characters += len(line)
        if len(taken) == lines.row_limit or characters > MAX_ROW_CHARACTERS:
            # In a file full of such rows, reading the same lines again would take for ever.
            lines.row_limit = max(20, lines.row_limit // 2)
            return
        yield line + "\n"
