"""How often mail was sent, deferred or given up since there is mail: a count that never falls, at a cost that does not
grow.

What lies further back than SETTLED is counted once and kept, in one document for all processes and machines, because a
counter that fell, were it by one, would look to Prometheus like one that began again.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

from crmapp.clock import now
from crmapp.database import Db, Document
from crmapp.mailqueue.queue import MailEvent

OUTCOMES = (
    MailEvent.SENT,
    MailEvent.DEFERRED,
    MailEvent.FAILED,
    MailEvent.VOID,
    MailEvent.LAPSED,
)
# By then every event has been written, whoever's clock it bears.
SETTLED = timedelta(minutes=2)
KEY: Document = {"_id": "mailOutcomes"}
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


def totals(db: Db) -> dict[str, int]:
    kept = db.projections.find_one(KEY) or {"until": BEGINNING, "counts": {}}
    settled = now() - SETTLED
    if kept["until"] < settled - SETTLED:
        kept = _keep(db, kept, settled)
    recent = _count(db, {"$gte": kept["until"]})
    return {outcome: kept["counts"].get(outcome, 0) + recent[outcome] for outcome in OUTCOMES}


def _keep(db: Db, kept: Document, until: datetime) -> Document:
    """Several processes may do this at once: whose is written last, it agrees with its own `until`."""
    counts = Counter(kept["counts"]) + _count(db, {"$gte": kept["until"], "$lt": until})
    changes = {"until": until, "counts": dict(counts)}
    db.projections.update_one(KEY, {"$set": changes}, upsert=True)
    return changes


def _count(db: Db, at: Document) -> Counter[str]:
    """Out of the index of `type` and `at` alone."""
    return Counter(
        {outcome: db.events.count_documents({"type": outcome, "at": at}) for outcome in OUTCOMES}
    )
