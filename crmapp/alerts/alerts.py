"""The alerts that stand: kept in MongoDB, so that every process shows the same, and told to every page."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from pymongo.errors import PyMongoError

from crmapp.alerts.conditions import SINCE, Alert
from crmapp.clock import now
from crmapp.database import Db, Document
from crmapp.jobs.projection import project
from crmapp.live.blueprint import live
from crmapp.live.events import ALERTS as ALERTS_EVENT
from crmapp.live.events import Event, make_event
from crmapp.live.topics import ALERTS
from crmapp.wire import iso, to_json

KEY = {"_id": "alerts"}


def current(db: Db) -> Document:
    """{items, timestamp}. Each item is {condition, since, text, advice, link, linkText}; `text` may hold times, as
    the sentences of mailqueue.health do."""
    return _public(db.projections.find_one(KEY) or {"items": [], "updatedAt": now()})


def for_page(db: Db) -> list[Document]:
    """The items for a page's first paint; none where MongoDB does not answer, which the page says in its own way."""
    try:
        items: list[Document] = current(db)["items"]
    except PyMongoError:
        return []
    return items


def refresh(db: Db, found: Iterable[Alert]) -> list[Document]:
    """Keep what was `found`, drop what is over, and tell every page. Returns the items."""
    alerts = list(found)
    items: list[Document] = []

    def work_out(stored: Document | None) -> Document:
        begun = {item["condition"]: item["since"] for item in (stored or {}).get("items", [])}
        items[:] = [_item(alert, begun.get(alert.condition)) for alert in alerts]
        return {"items": list(items)}

    changed = project(db.projections, KEY, work_out)
    if changed:
        live.announce(ALERTS, ALERTS_EVENT, changed["rev"], to_json(_public(changed)))
    return items


def _item(alert: Alert, begun: datetime | None) -> Document:
    since = begun or alert.since or now()
    return {
        "condition": alert.condition.value,
        "since": since,
        "text": alert.text.replace(SINCE, f"since {{at:{iso(since)}}}"),
        "advice": alert.advice,
        "link": alert.link,
        "linkText": alert.link_text,
    }


def events(db: Db) -> list[Event]:
    """The event that tells the alerts as they stand; none before the first look."""
    stored = db.projections.find_one(KEY)
    if stored is None:
        return []
    return [make_event(ALERTS, ALERTS_EVENT, stored["rev"], to_json(_public(stored)))]


def _public(stored: Document) -> Document:
    return {"items": stored["items"], "timestamp": stored["updatedAt"]}
