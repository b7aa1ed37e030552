"""What an import would do, before it does anything."""

from __future__ import annotations

from collections import Counter

from crmapp.clock import now
from crmapp.database import Db, Document
from crmapp.imports import files
from crmapp.imports.files import FileGone
from crmapp.leads.csvfile import BadRow, Place
from crmapp.leads.headings import Columns
from crmapp.leads.importing import BATCH, Batch, in_turns
from crmapp.leads.reasons import LABELS, Reason
from crmapp.leads.rows import Agents, Given, RowReader, Seen, without_duplicates
from crmapp.requests import BadInput

MOST_ROWS = 100_000
EXAMPLES = 10


def preview(db: Db, brought: Document, mapping: list[str | None]) -> Document:
    """What would become of its rows, up to MOST_ROWS of them: {rows, new, updated, unchanged, duplicates, bad, reasons,
    labels, examples, complete}. Raises BadInput where the file is gone."""
    place = Place(*brought["start"])
    try:
        table = files.rest(db, brought["fileId"], brought["delimiter"], brought["headings"], place)
    except FileGone:
        raise BadInput("The file is kept no longer: upload it again.", 410) from None
    reader, seen = RowReader(Columns(mapping), Agents.of(db)), Seen()
    rows = iter(table)
    counts = Counter[str]()
    refused: list[BadRow] = []
    reasons = Counter[Reason]()
    while some := table.some(rows, min(BATCH, MOST_ROWS - counts["rows"])):
        read = [without_duplicates(reader.read(row), seen) for row in in_turns(some)]
        given = [row for row in read if isinstance(row, Given)]
        bad = [row for row in read if isinstance(row, BadRow)]
        counts += _counts(db, given) + Counter(rows=len(some))
        reasons.update(row.reason for row in bad)
        refused += bad[: EXAMPLES - len(refused)]
    duplicates = reasons[Reason.DUPLICATE]
    return {
        **{name: counts[name] for name in ("rows", "new", "updated", "unchanged")},
        "duplicates": duplicates,
        "bad": reasons.total() - duplicates,
        "reasons": dict(reasons.most_common()),
        "labels": {reason: LABELS[reason] for reason in reasons},
        "examples": [{"row": row.number, "reason": row.words} for row in refused],
        "complete": next(rows, None) is None,
    }


def _counts(db: Db, given: list[Given]) -> Counter[str]:
    batch = Batch(given, {}, now())
    batch.look(db)
    return Counter(new=len(batch.new), updated=len(batch.changed), unchanged=batch.unchanged)
