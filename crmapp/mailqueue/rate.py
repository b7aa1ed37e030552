"""`MAIL_MAX_PER_MINUTE`, held by all processes and machines together through one document in MongoDB, by its clock.

Permits become free one by one, evenly spaced. Whoever takes some has to use them within GOOD_FOR_SECONDS, so in any
60 s at most those of 60 + BURST_SECONDS + GOOD_FOR_SECONDS are used: they are spaced so that this is the limit.
"""

from __future__ import annotations

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from crmapp.database import Db, Document

RATE: Document = {"_id": "rate"}
BURST_SECONDS = 1.0
GOOD_FOR_SECONDS = 2.0


def spacing_ms(per_minute: int) -> float:
    """Between two permits, in milliseconds."""
    return 1000 * (60 + BURST_SECONDS + GOOD_FOR_SECONDS) / per_minute


def take(db: Db, wanted: int, per_minute: int) -> tuple[int, float]:
    """Up to `wanted` permits, and, where there is none, the seconds until there is one."""
    spacing = spacing_ms(per_minute)
    count = min(wanted, max(1, int(1000 * BURST_SECONDS / spacing)))
    later = {"$add": ["$$NOW", round(count * spacing)]}
    pipeline: list[Document] = [
        {"$set": {"granted": {"$lte": [{"$ifNull": ["$next", "$$NOW"]}, "$$NOW"]}}},
        {"$set": {"next": {"$cond": ["$granted", later, "$next"]}}},
        {"$set": {"wait": {"$subtract": ["$next", "$$NOW"]}}},
    ]
    after = ReturnDocument.AFTER
    try:
        rate = db.mail_control.find_one_and_update(
            RATE, pipeline, upsert=True, return_document=after
        )
    except DuplicateKeyError:  # two were first
        return 0, 0.01
    assert rate is not None
    return (count, 0.0) if rate["granted"] else (0, max(0.01, rate["wait"] / 1000))
