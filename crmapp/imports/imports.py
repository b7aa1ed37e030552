"""Imports: a file that was brought, how its columns are understood, and what has come of it.

The record of an import stays after its job is forgotten: leads that it created keep its id, and it can be undone. Its
job has the same id.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from itertools import islice
from typing import IO, Any

from crmapp.accounts.users import User
from crmapp.clock import now
from crmapp.database import Db, Document
from crmapp.imports import files
from crmapp.jobs import jobs
from crmapp.jobs.jobs import NotYours
from crmapp.leads.csvfile import NotACsv, delimiter_name
from crmapp.leads.headings import FIELDS, understood
from crmapp.requests import BadInput

TYPE = "lead_import"
KEPT_UNUSED = timedelta(days=1)
FIRST_ROWS = 5
LOOKED_AT = 50
EXAMPLES = 3
SHOWN_OF_CELL = 200
MOST_COLUMNS = 500
UPLOADED, STARTED, IMPORTED, CANCELLED = "uploaded", "started", "imported", "cancelled"


class NoSuchImport(LookupError):
    """There is no import of this id, or it is kept no longer."""


def bring(db: Db, user: User, name: str, stream: IO[bytes]) -> Document:
    """Keep a file that is to be imported, and see what it holds. Returns the import. Raises BadInput where it is no
    list of leads."""
    until = now() + KEPT_UNUSED
    try:
        file_id, size, encoding = files.keep(db, stream, until)
    except NotACsv as error:
        raise BadInput(str(error), 415) from None
    try:
        seen = _look(db, file_id)
    except BadInput:
        files.drop(db, file_id)
        raise
    brought = {
        "_id": jobs.new_id(TYPE),
        "userId": user.key,
        "userName": user.name,
        "file": name,
        "fileId": file_id,
        "size": size,
        "encoding": encoding,
        **seen,
        "createdAt": now(),
        "state": UPLOADED,
        "expireAt": until,
    }
    db.imports.insert_one(brought)
    return brought


def _look(db: Db, file_id: Any) -> Document:
    """Raises BadInput."""
    try:
        table = files.table(db, file_id)
    except NotACsv as error:
        raise BadInput(str(error), 415) from None
    if len(table.headings) > MOST_COLUMNS:
        raise BadInput(f"The file has more than {MOST_COLUMNS} columns: leave some out.", 422)
    start = table.place
    some = [row.cells for row in islice(table, LOOKED_AT)]
    if not some:
        raise BadInput(
            "The file holds headings and nothing else: there is no lead to import. Add a row for each lead.",
            422,
        )
    rows = [[cell[:SHOWN_OF_CELL] for cell in cells] for cells in some]
    return {
        "delimiter": table.delimiter,
        "headings": table.headings,
        "start": list(start),
        "mapping": understood(table.headings),
        "examples": [_examples(rows, place) for place in range(len(table.headings))],
        "rows": rows[:FIRST_ROWS],
    }


def _examples(rows: list[list[str]], place: int) -> list[str]:
    """The first different texts of a column."""
    texts = (cells[place].strip() for cells in rows if place < len(cells))
    return list(dict.fromkeys(filter(None, texts)))[:EXAMPLES]


def find(db: Db, user: User, import_id: str) -> Document:
    """Raises NoSuchImport, and NotYours where `user` may not see it."""
    found = db.imports.find_one({"_id": import_id})
    if found is None:
        raise NoSuchImport(import_id)
    if not jobs.may_see(found, user.key, user.sees_everything):
        raise NotYours
    return found


def public(brought: Document) -> Document:
    """What a program is told of it."""
    columns = zip(brought["headings"], brought["mapping"], brought["examples"], strict=True)
    return {
        "id": brought["_id"],
        **{name: brought[name] for name in ("file", "size", "encoding", "createdAt", "state")},
        "delimiter": delimiter_name(brought["delimiter"]),
        "columns": [
            {"index": index, "heading": heading, "field": field, "examples": examples}
            for index, (heading, field, examples) in enumerate(columns)
        ],
        "rows": brought["rows"],
        "fields": FIELDS,
    }


def mapping_of(brought: Document, body: Mapping[str, Any]) -> list[str | None]:
    """The field of each column: as understood, but for what the `mapping` of a request's body says otherwise. Raises
    BadInput."""
    given = body.get("mapping")
    if given is None:
        given = {}
    if not isinstance(given, dict):
        raise BadInput('mapping must be an object, like {"0": "email", "1": null}.')
    mapping: list[str | None] = list(brought["mapping"])
    for index, field in given.items():
        if not (index.isdecimal() and int(index) < len(mapping)):
            raise BadInput(f"The file has no column {index[:20]!r}: they are numbered from 0 on.")
        if field is not None and field not in FIELDS:
            raise BadInput(
                f"There is no field {str(field)[:40]!r}. There are: {', '.join(FIELDS)}."
            )
        mapping[int(index)] = field
    if "email" not in mapping:
        raise BadInput("Choose the column that holds the e-mail addresses.", 422)
    return mapping
