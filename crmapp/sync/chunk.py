"""Some items of a sync, what is to become of each, and the writes that make it so."""

from __future__ import annotations

import hashlib
import logging
from typing import Any

import bson
from bson import ObjectId
from pymongo import ReplaceOne, UpdateOne
from pymongo.client_session import ClientSession

from crmapp.clock import now
from crmapp.database import Db, Document
from crmapp.jobs import leases
from crmapp.jobs.jobs import ItemState
from crmapp.jobs.leases import Lease
from crmapp.sync import raw
from crmapp.sync.compare import hash_of
from crmapp.sync.fields import first_line
from crmapp.sync.source import BadItem, Reason, Source
from crmapp.wire import to_json

log = logging.getLogger(__name__)


class Chunk:
    """`items` are the raw items by their keys, `stored` what there is of their documents."""

    def __init__(
        self,
        job_id: str,
        source: Source,
        ids: list[Any],
        items: dict[bytes, bytes],
        stored: dict[bytes, Document],
    ) -> None:
        self._job_id = job_id
        self._source = source
        self._items = items
        self._stored = stored
        self._time = now()
        self.ids = ids
        self.documents: dict[bytes, Document] = {}  # new and changed ones
        self.removed: dict[
            bytes, Any
        ] = {}  # ids of items that are gone, of those whose document is still there
        self._refreshed: list[UpdateOne] = []
        self._errors: list[Document] = []
        self._gone = 0

    def judge(self) -> None:
        """Make the documents, and sort out what is gone, unchanged or broken."""
        for item_id in self.ids:
            key = raw.key_of(item_id)
            item, stored = self._items.get(key), self._stored.get(key)
            if item is None:
                self._gone += 1
                if stored:
                    self.removed[key] = item_id
                continue
            try:
                document = self._document(item_id, item)
            except BadItem as error:
                self.reject(key, item_id, error)
                continue
            if stored and stored["contentHash"] == document["contentHash"]:
                changes = {"$set": {"sourceHash": document["sourceHash"]}}
                self._refreshed.append(UpdateOne({"_id": stored["_id"]}, changes))
            else:
                document["_id"] = stored["_id"] if stored else ObjectId()
                self.documents[key] = document

    def _document(self, item_id: Any, item: bytes) -> Document:
        decoded = raw.decode(item)
        try:
            content = self._source.content(decoded)
            made = {
                "title": content.title,
                "text": content.text,
                "metadata": content.metadata,
                "ownerId": content.owner_id,
                "date": content.date,
            }
            content_hash = hashlib.sha256(bson.encode(made)).hexdigest()
            to_json(content.metadata)  # as readers will be told it
        except BadItem:
            raise
        except Exception as error:
            # A fault of a source's code must not keep all other items waiting.
            log.exception("%s: item %s cannot be made a document", self._source.type, item_id)
            words = f"The source's own code fails at it: {type(error).__name__}: {error}"
            raise BadItem(Reason.UNREADABLE, words[:500]) from None
        return {
            "type": self._source.type,
            "sourceId": item_id,
            **made,
            "contentHash": content_hash,
            "sourceHash": hash_of(item, self._source),
            "syncedAt": self._time,
        }

    def reject(self, key: bytes, item_id: Any, error: BadItem) -> None:
        """Have the item fail; its document, if there is one, stays what it was."""
        self.documents.pop(key, None)
        if self.removed.pop(key, None) is not None:
            self._gone -= 1
        shown = item_id if isinstance(item_id, ObjectId) else str(item_id)
        self._errors.append(
            {
                "_id": f"{self._job_id}:{_row_id(item_id, key)}",
                "jobId": self._job_id,
                "itemId": shown,
                "sourceId": item_id,
                "title": self._title(key),
                "state": ItemState.FAILED,
                "reason": error.reason,
                "words": error.words,
                "at": self._time,
            }
        )

    def _title(self, key: bytes) -> str:
        try:
            item = raw.decode(self._items[key])
        except (BadItem, KeyError):
            return ""
        texts = (item.get(name) for name in self._source.fields)
        return next((first_line(text) for text in texts if isinstance(text, str) and text), "")

    def write(self, db: Db, lease: Lease, row: Document) -> None:
        """Everything, in the lease's open transaction; `row` of job_items loses these items. Raises LeaseLost."""
        session = lease.session
        self._write_documents(db, session)
        if self._errors:
            db.job_errors.insert_many(self._errors, session=session)
        rest = row["ids"][len(self.ids) :]
        if rest:
            db.job_items.update_one({"_id": row["_id"]}, {"$set": {"ids": rest}}, session=session)
        else:
            db.job_items.delete_one({"_id": row["_id"]}, session=session)
        leases.write(db, lease, self._raised_counts())

    def _write_documents(self, db: Db, session: ClientSession) -> None:
        new = [doc for key, doc in self.documents.items() if key not in self._stored]
        changed = [
            ReplaceOne({"_id": doc["_id"]}, doc)
            for key, doc in self.documents.items()
            if key in self._stored
        ]
        if self.removed:
            # First: another item may have come under an id that MongoDB takes for the same, such as 7 and 7.0.
            gone = {"type": self._source.type, "sourceId": {"$in": list(self.removed.values())}}
            db.documents.delete_many(gone, session=session)
        if new:
            # An insert is several times faster than an upsert.
            db.documents.insert_many(new, session=session)
        if changed or self._refreshed:
            db.documents.bulk_write([*changed, *self._refreshed], session=session)

    def _raised_counts(self) -> Document:
        raised = {
            "synced": len(self.documents),
            "unchanged": len(self._refreshed),
            "removed": self._gone,
            "failed": len(self._errors),
        }
        return {
            f"counts.{name}": {"$add": [f"$counts.{name}", count]}
            for name, count in raised.items()
            if count
        }


def _row_id(item_id: Any, key: bytes) -> str:
    """Differs between all ids, whatever their types and however long."""
    return str(item_id) if isinstance(item_id, ObjectId) else hashlib.sha256(key).hexdigest()
