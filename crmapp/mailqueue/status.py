"""How the queue stands: a projection of its counts, announced on every change."""

from __future__ import annotations

from crmapp.clock import now
from crmapp.database import Db, Document
from crmapp.jobs.projection import project
from crmapp.live.blueprint import live
from crmapp.live.events import EMAIL_QUEUE_UPDATE, Event, make_event
from crmapp.live.topics import EMAIL_QUEUE
from crmapp.mailqueue import counts
from crmapp.wire import to_json

KEY = {"_id": "emailQueue"}


def current(db: Db) -> Document:
    """The counts as they are now."""
    return {**counts.of_queue(db), "timestamp": now()}


def refresh(db: Db) -> None:
    """Bring the stored counts up to date and tell every page."""
    changed = project(db.projections, KEY, lambda _: counts.of_queue(db))
    if changed:
        live.announce(EMAIL_QUEUE, EMAIL_QUEUE_UPDATE, changed["rev"], to_json(_public(changed)))


def events(db: Db) -> list[Event]:
    """The event that tells the stored state; none before the queue was first used."""
    stored = db.projections.find_one(KEY)
    if stored is None:
        return []
    return [make_event(EMAIL_QUEUE, EMAIL_QUEUE_UPDATE, stored["rev"], to_json(_public(stored)))]


def _public(stored: Document) -> Document:
    names = ("pending", "processing", "failed", "total")
    return {**{name: stored[name] for name in names}, "timestamp": stored["updatedAt"]}
