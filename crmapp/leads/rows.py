"""What a row of a file says of a lead, checked."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

from bson import ObjectId

from crmapp import addresses
from crmapp.accounts import staff
from crmapp.database import Db, Document
from crmapp.leads import fields
from crmapp.leads.csvfile import BadRow, Row
from crmapp.leads.headings import Columns
from crmapp.leads.reasons import Reason
from crmapp.requests import BadInput

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_NAMED = re.compile(r"[^<>]*<([^<>]*)>")
_MAILTO = re.compile(r"^\s*mailto:", re.IGNORECASE)
_TAG_ENDS = re.compile("[;,]")


class Given(NamedTuple):
    """What a row gives: the fields of a lead that are not empty. `createdAt` and `status` are for a new one."""

    number: int
    values: Document
    cells: list[str]


class _BadValue(ValueError):
    """A cell that cannot be stored. Its text is the row's reason."""

    def __init__(self, reason: Reason, words: str) -> None:
        super().__init__(words)
        self.reason = reason


class RowReader:
    """Reads rows whose cells are `columns`. An agent is named by e-mail address or name; rows with one who is not
    among the staff are bad, so that no lead is left to nobody by a slip of the pen."""

    def __init__(self, columns: Columns, agents: Agents) -> None:
        self._columns = columns
        self._agents = agents

    def read(self, row: Row | BadRow) -> Given | BadRow:
        if isinstance(row, BadRow):
            return row
        try:
            return Given(row.number, self._values(self._columns.values(row.cells)), row.cells)
        except _BadValue as error:
            return BadRow(row.number, error.reason, str(error), row.cells)

    def _values(self, texts: dict[str, str]) -> Document:
        values: Document = {"email": _address(texts.get("email", ""))}
        for name, longest in fields.LONGEST.items():
            if text := texts.get(name):
                if len(text) > longest:
                    words = f"{name} is longer than {longest} characters"
                    raise _BadValue(Reason.TOO_LONG, words)
                # A line break in a name would end up in the headers of a mail.
                values[name] = text if name == "notes" else " ".join(text.split())
        if (status := texts.get("status", "").lower()) in fields.STAGES:
            values["status"] = status
        if "tags" in texts:
            values["tags"] = _tags(texts["tags"])
        if "agent" in texts:
            values["agentId"] = self._agents.find(texts["agent"])
        if "created" in texts:
            values["createdAt"] = _time(texts["created"])
        return values


def _address(cell: str) -> str:
    """The cell's address. "Ann Lee <ann@x.com>" and "mailto:ann@x.com" will do."""
    if "<" in cell and (named := _NAMED.fullmatch(cell)):
        cell = named[1]
    text = _MAILTO.sub("", cell).strip("\u200b \t\n")
    if not text:
        raise _BadValue(Reason.NO_EMAIL, "no e-mail")
    try:
        return addresses.normalise(text)
    except addresses.InvalidAddress:
        raise _BadValue(Reason.NOT_AN_ADDRESS, f"not an address: {_short(text)}") from None


def _tags(text: str) -> list[str]:
    """Tags are separated by semicolons or commas."""
    try:
        return fields.tags(tag for tag in _TAG_ENDS.split(text) if tag.strip())
    except BadInput as error:
        raise _BadValue(Reason.BAD_TAG, str(error)) from None


def _time(text: str) -> datetime:
    """A day or a time as ISO 8601 has it; in UTC where no zone is named."""
    try:
        time = datetime.fromisoformat(text)
        time = time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        time = None
    if time is None or time < EARLIEST:
        words = f"not a date like 2026-01-31: {_short(text)}"
        raise _BadValue(Reason.BAD_DATE, words)
    return time.replace(microsecond=time.microsecond // 1000 * 1000)


def _short(text: str) -> str:
    return text if len(text) <= 100 else f"{text[:100]}…"


class Agents:
    """Those who work with leads, found by e-mail address or name."""

    def __init__(self, people: Iterable[Document]) -> None:
        self._ids: dict[str, set[ObjectId]] = {}
        for person in people:
            for name in (person["email"], staff.name_of(person)):
                self._ids.setdefault(name.casefold(), set()).add(person["_id"])

    @classmethod
    def of(cls, db: Db) -> Agents:
        return cls(staff.everyone(db))

    def find(self, text: str) -> ObjectId:
        found = self._ids.get(" ".join(text.split()).casefold(), set())
        if len(found) == 1:
            return next(iter(found))
        words = (
            "more than one is called so, give the e-mail address"
            if found
            else "nobody on the staff"
        )
        raise _BadValue(Reason.UNKNOWN_AGENT, f"agent {_short(text)}: {words}")


class Seen:
    """The row in which each address came first, in some 30 bytes of memory for each, however long it is.

    Addresses are told apart by 64 bits of their hash; for a million of them the chance that two are taken for the same
    is one in 30 million.
    """

    def __init__(self) -> None:
        self._hashes = array("q", bytes(8 * 1024))
        self._rows = array("I", bytes(4 * 1024))
        self._count = 0

    def first(self, email: str, row: int) -> int:
        """The row in which `email` came first, which is `row` where it is new."""
        if self._count * 2 > len(self._rows):
            self._grow()
        value = hash(email)
        place = self._place(value)
        if not self._rows[place]:
            self._hashes[place], self._rows[place] = value, row
            self._count += 1
        return self._rows[place]

    def _place(self, value: int) -> int:
        """Where it is, or is to be."""
        hashes, rows, mask = self._hashes, self._rows, len(self._rows) - 1
        place = value & mask
        while rows[place] and hashes[place] != value:
            place = (place + 1) & mask
        return place

    def _grow(self) -> None:
        old = zip(self._hashes, self._rows, strict=True)
        size = 4 * len(self._rows)
        self._hashes, self._rows = array("q", bytes(8 * size)), array("I", bytes(4 * size))
        for value, row in old:
            if row:
                place = self._place(value)
                self._hashes[place], self._rows[place] = value, row


def without_duplicates(given: Given | BadRow, seen: Seen) -> Given | BadRow:
    """The row itself, or what is wrong with it where its address came before."""
    if isinstance(given, BadRow):
        return given
    first = seen.first(given.values["email"], given.number)
    if first == given.number:
        return given
    words = f"duplicate in the file of row {first}"
    return BadRow(given.number, Reason.DUPLICATE, words, given.cells)
