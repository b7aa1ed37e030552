"""Reading the CSV files that CRMs and spreadsheets export, a row at a time, from any row on."""

from __future__ import annotations

import codecs
import csv
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import IO, NamedTuple

from crmapp.leads import headings
from crmapp.leads.reasons import Reason

# What one row may span. A quote that is never closed runs into these instead of to the file's end.
MAX_ROW_LINES = 1000
MAX_ROW_CHARACTERS = csv.field_size_limit()  # 131,072
SHOWN_OF_BROKEN = 2000
# So much is worked on at once.
MOST_BYTES = 1024 * 1024

BLOCK = 256 * 1024
DELIMITERS = ",;\t|"
_NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
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
_SPREADSHEET_XML = b"urn:schemas-microsoft-com:office:spreadsheet"
_CONTROL_CHARACTERS = bytes(set(range(32)) - set(b"\t\n\v\f\r"))
_BLANKS_AFTER_QUOTE = re.compile(r'"[ \xa0]+(?=[,;\t|]|$)')
_HEADINGS_WANTED = "The first row must hold the headings, such as Name, Email and Company."
_SAVE_AS_CSV = "Save it as CSV (in Excel: File, Save As, CSV UTF-8) and import that file."


class NotACsv(ValueError):
    """A file that cannot be read as a list of leads. Its text says why and what to do."""


class Row(NamedTuple):
    """A row: the number of the line on which it begins, and its cells."""

    number: int
    cells: list[str]


class BadRow(NamedTuple):
    """A row that is not imported: why, in words for the person too, and what it held."""

    number: int
    reason: Reason
    words: str
    cells: list[str]


class Place(NamedTuple):
    """Where a row begins: so many bytes and lines are before it."""

    byte: int
    line: int
    row_limit: int = MAX_ROW_LINES


class Plain:
    """The blocks of a binary stream as UTF-8 or, line by line, Windows-1252, without NULs. UTF-16 becomes UTF-8.

    Raises NotACsv at the first block of what is no text. `encoding` tells, after the last one, what the stream was in.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.encoding = "UTF-8"

    def __iter__(self) -> Iterator[bytes]:
        first = self._stream.read(BLOCK)
        rest = iter(lambda: self._stream.read(BLOCK), b"")
        blocks: Iterator[bytes] = chain([first], rest)
        _refuse_other_formats(first.removeprefix(codecs.BOM_UTF8))
        if utf16 := _utf16(first):
            self.encoding = "UTF-16"
            decoder = codecs.getincrementaldecoder(utf16)("replace")
            blocks = (decoder.decode(block).encode(errors="replace") for block in blocks)
        else:
            _refuse_binary(first)
            blocks = self._watched(blocks)
        return (block.replace(b"\0", b"") for block in blocks)

    def _watched(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        decoder = codecs.getincrementaldecoder("utf-8")()
        for block in blocks:
            if self.encoding == "UTF-8":
                try:
                    decoder.decode(block)
                except UnicodeDecodeError:
                    self.encoding = "Windows-1252"
            yield block


def _utf16(first: bytes) -> str | None:
    """Which UTF-16 it is. Without a byte order mark, the NULs of Western letters tell."""
    if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    start = first[:2000]
    high, low = start[::2].count(0), start[1::2].count(0)
    if max(high, low) * 2 < 0.8 * len(start) / 2 or min(high, low) > 0.1 * max(high, low):
        return None
    return "utf-16-be" if high > low else "utf-16-le"


def _refuse_other_formats(start: bytes) -> None:
    for magic, name in _MAGIC.items():
        if start.lstrip().startswith(magic):
            name = "a spreadsheet saved as XML" if _SPREADSHEET_XML in start else name
            raise NotACsv(f"This is {name}, not a CSV file. {_SAVE_AS_CSV}")


def _refuse_binary(start: bytes) -> None:
    if len(start.translate(None, _CONTROL_CHARACTERS)) < 0.95 * len(start):
        raise NotACsv(f"This is not a text file. {_SAVE_AS_CSV}")


# A line: its text, its size in bytes with its end, and whether its bytes are text in a known encoding.
_Line = tuple[str, int, bool]


class _Lines:
    """Numbered lines of which some can be given back, to be read again."""

    def __init__(self, blocks: Iterable[bytes], place: Place) -> None:
        # Of what was read so far.
        self.byte, self.number, self.row_limit = place
        self.unreadable = 0  # the number of the last line whose bytes are no text
        self._lines = _decoded(_split(blocks))
        self._given_back: deque[_Line] = deque()
        self._taken: list[_Line] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._given_back.popleft() if self._given_back else next(self._lines)
        text, size, is_readable = line
        self.number += 1
        self.byte += size
        if not is_readable:
            self.unreadable = self.number
        return text

    def take(self) -> str | None:
        """The next line, which can be given back; None after the last one."""
        line = self._given_back.popleft() if self._given_back else next(self._lines, None)
        if line is None:
            return None
        self._taken.append(line)
        self._given_back.appendleft(line)
        return next(self)

    def keep(self) -> None:
        """What was taken is used."""
        self._taken = []

    def give_back(self) -> None:
        """What was taken is read again."""
        self._given_back.extendleft(reversed(self._taken))
        self.number -= len(self._taken)
        self.byte -= sum(size for _, size, _ in self._taken)
        if self.unreadable > self.number:
            self.unreadable = 0
        self._taken = []


def _split(blocks: Iterable[bytes]) -> Iterator[tuple[bytes, int]]:
    """The lines of the blocks, ended by CRLF, LF or CR, without their ends, and their sizes with them."""
    rest, left_out = b"", 0
    for block in blocks:
        lines = (rest + block).splitlines(keepends=True)
        rest = lines.pop() if lines else b""  # may go on in the next block, if only by its LF
        for line in lines:
            yield line.rstrip(b"\r\n"), len(line) + left_out
            left_out = 0
        if len(rest) > 5 * MAX_ROW_CHARACTERS:  # no row: enough is kept to see that
            kept = rest[: 4 * MAX_ROW_CHARACTERS + 4] + rest[-1:]
            left_out += len(rest) - len(kept)
            rest = kept
    if rest:
        yield rest.rstrip(b"\r\n"), len(rest) + left_out


def _decoded(lines: Iterator[tuple[bytes, int]]) -> Iterator[_Line]:
    """The lines as text. Each is looked at by itself: files that were glued together are mixed."""
    for line, size in lines:
        is_readable = True
        try:
            text = line.decode()
        except UnicodeDecodeError:
            text = line.decode("cp1252", "replace")
            is_readable = "\ufffd" not in text
        yield text.lstrip("\ufeff"), size, is_readable


class Table:
    """The rows of a file that follow its headings, to be gone through once.

    Rows are numbered as a text editor numbers lines: the heading is usually row 1, and a row with quoted line breaks
    has the number of its first line. Empty lines and lines of empty cells are no rows. What follows a row with broken
    quoting is read afresh from the next line.
    """

    def __init__(self, lines: _Lines, delimiter: str, headings: list[str]) -> None:
        self.delimiter = delimiter
        self.headings = headings
        self._lines = lines

    @property
    def place(self) -> Place:
        """Where the next row begins, of those that were not handed out yet."""
        return Place(self._lines.byte, self._lines.number, self._lines.row_limit)

    def some(self, rows: Iterator[Row | BadRow], most: int) -> list[Row | BadRow]:
        """The next of its `rows`, not more than `most` and not much more than MOST_BYTES; none at the end."""
        some: list[Row | BadRow] = []
        begin = self._lines.byte
        while len(some) < most and self._lines.byte - begin < MOST_BYTES:
            row = next(rows, None)
            if row is None:
                break
            some.append(row)
        return some

    def __iter__(self) -> Iterator[Row | BadRow]:
        lines, width = self._lines, len(self.headings)
        for first in lines:
            number = lines.number
            if len(first) > MAX_ROW_CHARACTERS:
                words = f"row is longer than {MAX_ROW_CHARACTERS} characters"
                yield BadRow(number, Reason.TOO_LONG_A_ROW, words, [first[:SHOWN_OF_BROKEN]])
                continue
            cells = _cells(first, lines, self.delimiter)
            if cells is None:
                shown = [first[:SHOWN_OF_BROKEN]]
                yield BadRow(number, Reason.BROKEN_QUOTING, "broken quoting", shown)
            elif any(map(str.strip, cells)):
                if lines.unreadable >= number:
                    yield BadRow(number, Reason.UNREADABLE, NO_TEXT, cells)
                elif len(cells) == width or not (fault := self._fault(cells, width)):
                    yield Row(number, cells)
                else:
                    yield BadRow(number, *fault, cells)

    def _fault(self, cells: list[str], width: int) -> tuple[Reason, str] | None:
        """What is wrong with a row that has more or fewer cells than there are headings. Cells at its end may be
        missing: that is how spreadsheets save empty ones."""
        if any(map(str.strip, cells[width:])):
            words = f"has {len(cells)} cells, but there are {width} headings"
            return Reason.TOO_MANY_CELLS, words
        other = [each for each in DELIMITERS if each != self.delimiter and each in cells[0]]
        if len(cells) == 1 and other:
            of_row, of_headings = map(delimiter_name, (other[0], self.delimiter))
            words = f"cells are separated by {of_row}, those of the headings by {of_headings}"
            return Reason.OTHER_DELIMITER, words
        return None


NO_TEXT = "has characters that are neither in UTF-8 nor in Windows-1252"


def delimiter_name(delimiter: str) -> str:
    return _NAMES.get(delimiter, delimiter)


def read(blocks: Iterable[bytes]) -> Table:
    """The table in the blocks of a `Plain` stream, which is not held in memory. The delimiter is found out.

    Raises NotACsv for a file that is empty, is not text, or has no headings.
    """
    lines = _Lines(blocks, Place(0, 0))
    filled = (line for line in lines if line.strip(' ",;|\t'))
    first = next(filled, None)
    delimiters = DELIMITERS
    if first and (sep := re.match(r'"?sep=([^\w\s"]|\t)', first, re.IGNORECASE)):
        delimiters = sep[1]  # Excel's own way to name the delimiter, on a line before the headings
        first = next(filled, None)
    if first is None:
        raise NotACsv(f"The file is empty. {_HEADINGS_WANTED}")
    if len(first) > MAX_ROW_CHARACTERS:
        raise NotACsv(f"The first line is too long for headings. {_HEADINGS_WANTED}")
    delimiter = max(delimiters, key=_sense_of(first))
    cells = _cells(first, lines, delimiter)
    if cells is None:
        raise NotACsv("The quoting of the first row is broken. Put a quote at both ends of a cell.")
    if "email" not in headings.understood(cells) and any("@" in cell for cell in cells):
        raise NotACsv(f"The file has no headings. {_HEADINGS_WANTED}")
    return Table(lines, delimiter, [" ".join(cell.split()) for cell in cells])


def read_on(blocks: Iterable[bytes], delimiter: str, headings: list[str], place: Place) -> Table:
    """The rest of a table from `place` on, at which the blocks begin."""
    return Table(_Lines(blocks, place), delimiter, headings)


def _sense_of(first: str) -> Callable[[str], tuple[int, int]]:
    """How much sense a delimiter makes of the first row: the headings that it makes known ones, and their number."""

    def sense(delimiter: str) -> tuple[int, int]:
        cells = next(csv.reader([first], delimiter=delimiter, skipinitialspace=True))
        return headings.recognised(cells), len(cells)

    return sense


def _cells(first: str, lines: _Lines, delimiter: str) -> list[str] | None:
    """The cells of the row that begins with the line `first`, or None where its quoting is broken.

    Takes the further lines of the row from `lines`, or none of them where the quoting is broken.
    """
    if '"' not in first:
        return first.split(delimiter)
    cells = _quoted_cells(first, lines, delimiter, lambda line: line)
    if cells is None and ('" ' in first or '"\xa0' in first):
        # Blanks between a closing quote and the delimiter are the one thing `csv` is too strict on.
        cells = _quoted_cells(first, lines, delimiter, _without_blanks)
    return cells


def _without_blanks(line: str) -> str:
    return _BLANKS_AFTER_QUOTE.sub('"', line)


def _quoted_cells(
    first: str, lines: _Lines, delimiter: str, mended: Callable[[str], str]
) -> list[str] | None:
    try:
        row = _lines_of_a_row(first, lines, mended)
        cells = next(csv.reader(row, delimiter=delimiter, skipinitialspace=True, strict=True))
    except csv.Error:
        lines.give_back()
        return None
    lines.keep()
    return cells


def _lines_of_a_row(first: str, lines: _Lines, mended: Callable[[str], str]) -> Iterator[str]:
    yield mended(first) + "\n"
    characters, count = len(first), 0
    while (line := lines.take()) is not None:
        characters += len(line)
        count += 1
        if count == lines.row_limit or characters > MAX_ROW_CHARACTERS:
            # In a file full of such rows, reading the same lines again would take for ever.
            lines.row_limit = max(20, lines.row_limit // 2)
            return
        yield mended(line) + "\n"
