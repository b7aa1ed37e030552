"""Numbers kept beside the documents that they count: worked out anew, written with the next revision, then announced.

Several processes may work out the same one at once. Whoever read an older revision writes nothing and starts again,
so a higher revision never shows older counts.
"""

from __future__ import annotations

from collections.abc import Callable

from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from crmapp.clock import now
from crmapp.database import Document


def project(
    collection: Collection[Document],
    key: Document,
    work_out: Callable[[Document | None], Document | None],
) -> Document | None:
    """Bring the document of `key` up to date. Returns it where it changed, None where it did not.

    `work_out` is given the stored document (None at first) and returns the fields as they should be, or None for
    "leave it". It reads what it counts itself, after it was called.
    """
    while True:
        stored = collection.find_one(key)
        fields = work_out(stored)
        if fields is None or (stored and fields.items() <= stored.items()):
            return None
        written = _write(collection, key, stored, fields)
        if written is not None:
            return written


def _write(
    collection: Collection[Document], key: Document, stored: Document | None, fields: Document
) -> Document | None:
    time = now()
    if stored is None:
        document = {**key, **fields, "rev": 1, "createdAt": time, "updatedAt": time}
        try:
            collection.insert_one(document)
        except DuplicateKeyError:
            return None
        return document
    changes = {**fields, "rev": stored["rev"] + 1, "updatedAt": time}
    result = collection.update_one({"_id": stored["_id"], "rev": stored["rev"]}, {"$set": changes})
    return {**stored, **changes} if result.matched_count else None
