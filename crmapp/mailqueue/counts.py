"""How many mails there are, exactly, and at a cost that does not grow with the queue."""

from __future__ import annotations

from pymongo.collection import Collection

from crmapp.database import Db, Document
from crmapp.mailqueue.queue import MailStatus

# Up to here counting one by one is cheap.
EXACT_UP_TO = 10_000
DROPPED: Document = {"dropped": True}
NOT_DROPPED: Document = {"dropped": {"$ne": True}}
DRIFT = {"_id": "drift"}


def of_queue(db: Db) -> Document:
    """pending, processing, failed (without what was dropped), and total = pending + processing."""
    processing = db.pending_emails.count_documents({"status": MailStatus.PROCESSING})
    total = _size(db, db.pending_emails)
    if total <= EXACT_UP_TO:
        pending = db.pending_emails.count_documents({"status": MailStatus.PENDING})
    else:
        pending = max(0, total - processing)
    return {
        "pending": pending,
        "processing": processing,
        "failed": _failed(db),
        "total": pending + processing,
    }


def _failed(db: Db) -> int:
    size = _size(db, db.failed_emails)
    if size <= EXACT_UP_TO:
        return db.failed_emails.count_documents(NOT_DROPPED)
    return max(0, size - db.failed_emails.count_documents(DROPPED))


def _size(db: Db, collection: Collection[Document]) -> int:
    """MongoDB's own note of a collection's size costs nothing, and is wrong after mongod was killed; `measure_drift`
    finds out by how much."""
    noted = collection.estimated_document_count()
    if noted <= EXACT_UP_TO:
        return noted
    drift = db.mail_control.find_one(DRIFT) or {}
    return noted + int(drift.get(collection.name, 0))


def measure_drift(db: Db) -> None:
    """Count what is too much to be counted every time. For the sweep: at a million mails it takes a second."""
    for collection in (db.pending_emails, db.failed_emails):
        before = collection.estimated_document_count()
        if before <= EXACT_UP_TO:
            continue
        drift = collection.count_documents({}, hint="_id_") - before
        if collection.estimated_document_count() == before:
            db.mail_control.update_one(DRIFT, {"$set": {collection.name: drift}}, upsert=True)
