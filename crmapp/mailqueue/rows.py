"""The lists of the e-mail queue page, and what is shown of each mail."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bson import ObjectId
from pymongo.collection import Collection
from pymongo.cursor import Cursor

from crmapp.database import Db, Document
from crmapp.mailqueue import counts
from crmapp.mailqueue.filters import BASE, WITH_REASON, State, parse, parse_state, to_query
from crmapp.mailqueue.replies import Reason
from crmapp.paging import COUNTED_UP_TO, PAGE_SIZE, SLOWEST_QUERY_MS, Page
from crmapp.requests import number

LABELS = {
    Reason.MAILBOX_UNKNOWN: "Mailbox unknown",
    Reason.MAILBOX_FULL: "Mailbox full",
    Reason.DOMAIN_UNKNOWN: "Domain unknown",
    Reason.REJECTED_CONTENT: "Content rejected",
    Reason.REJECTED_SENDER: "Sender rejected",
    Reason.REFUSED_BY_POLICY: "Refused by the recipient's policy",
    Reason.TEMPORARILY_REFUSED_TOO_OFTEN: "Temporarily refused too often",
    Reason.TIMEOUT: "Connection broke or timed out",
    Reason.INVALID_ADDRESS: "Invalid address",
    Reason.NO_LONGER_NEEDED: "No longer needed",
    Reason.FAULT: "The letter could not be made",
}
SHOWN = (
    *("_id", "userId", "email", "template", "sessionId", "messageId", "attempts", "createdAt"),
    *("visibleAt", "requeuedAt", "reason", "error", "lastAttemptDate"),
    *("dropped", "droppedBy", "droppedAt"),
)


def list_page(db: Db, values: dict[str, Any]) -> tuple[Page, State, dict[str, str]]:
    """The page that the query string `values` asks for, newest first, with its state and filter. Raises BadInput,
    and pymongo's ExecutionTimeout where the search takes too long."""
    state = parse_state(values)
    filter = parse({name: value for name, value in values.items() if name not in ("state", "page")})
    if state not in WITH_REASON:
        filter.pop("reason", None)
    wanted = number(values, "page", 1, COUNTED_UP_TO // PAGE_SIZE)
    query = to_query(db, state, filter)
    total, capped = _count(_collection(db, state), query)
    found = _find(db, state, query).max_time_ms(SLOWEST_QUERY_MS)
    mails = found.skip((wanted - 1) * PAGE_SIZE).limit(PAGE_SIZE)
    return Page([item(mail, state) for mail in mails], total, capped, wanted), state, filter


def every(db: Db, state: State, filter: dict[str, str]) -> Iterator[Document]:
    """All mails of a list, in its order, without keeping them in memory."""
    for mail in _find(db, state, to_query(db, state, filter)):
        yield item(mail, state)


def _collection(db: Db, state: State) -> Collection[Document]:
    if state == State.SENT:
        return db.events
    return db.failed_emails if state in WITH_REASON else db.pending_emails


def _find(db: Db, state: State, query: Document) -> Cursor[Document]:
    newest = [("at", -1)] if state == State.SENT else [("_id", -1)]
    return _collection(db, state).find(query).sort(newest)


def _count(collection: Collection[Document], query: Document) -> tuple[int, bool]:
    """Up to COUNTED_UP_TO, and whether there are more."""
    found = collection.count_documents(query, limit=COUNTED_UP_TO + 1, maxTimeMS=SLOWEST_QUERY_MS)
    return min(found, COUNTED_UP_TO), found > COUNTED_UP_TO


def item(mail: Document, state: State) -> Document:
    """What is shown of a mail, which is its `sent` event once it was sent."""
    if state != State.SENT:
        return {"state": state, **{name: mail[name] for name in SHOWN if name in mail}}
    return {
        "state": state,
        **{name: mail[name] for name in ("_id", "userId", "email", "template", "sessionId")},
        "messageId": mail["messageId"],
        "attempts": mail["attempt"],
        "createdAt": mail["_id"].generation_time,
        "sentAt": mail["at"],
        "reply": mail["reply"],
    }


def tab_counts(db: Db) -> Document:
    """How many mails each tab has; `sent_capped` where there are more sent ones than are counted."""
    sent, capped = _count(db.events, BASE[State.SENT])
    now = counts.of_queue(db)
    return {
        **{state: now[state] for state in (State.PENDING, State.PROCESSING, State.FAILED)},
        State.SENT: sent,
        State.DROPPED: db.failed_emails.count_documents(counts.DROPPED),
        "sent_capped": capped,
    }


def groups(db: Db, filter: dict[str, str]) -> list[Document]:
    """The failed mails of a filter, whatever its `reason`, by reason: {reason, label, count}, the most first."""
    rest = {name: value for name, value in filter.items() if name != "reason"}
    found = db.failed_emails.aggregate(
        [
            {"$match": to_query(db, State.FAILED, rest)},
            {"$group": {"_id": "$reason", "count": {"$sum": 1}}},
            {"$sort": {"count": -1, "_id": 1}},
        ],
        maxTimeMS=SLOWEST_QUERY_MS,
    )
    return [
        {
            "reason": each["_id"],
            "label": LABELS.get(each["_id"], each["_id"]),
            "count": each["count"],
        }
        for each in found
    ]


def find(db: Db, mail_id: ObjectId) -> Document | None:
    """The mail of this id, wherever it is now."""
    failed = db.failed_emails.find_one({"_id": mail_id})
    pending = db.pending_emails.find_one({"_id": mail_id})
    sent = db.events.find_one({"_id": mail_id, **BASE[State.SENT]})
    if sent:
        return item(sent, State.SENT)
    if pending:
        return item(pending, State(pending["status"]))
    if failed:
        return item(failed, State.DROPPED if failed.get("dropped") else State.FAILED)
    return None


def timeline(db: Db, mail: Document) -> list[Document]:
    """What has happened to a mail, oldest first."""
    events = db.events.find({"userId": mail["userId"], "mailId": mail["_id"]}).sort("at", 1)
    return [entry(event) for event in events]


def entry(event: Document) -> Document:
    """What is shown of an event: `by` is the name of the administrator whose doing it was."""
    names = ("type", "at", "attempt", "email", "template", "reply", "reason")
    by = event.get("by")
    return {**{name: event.get(name) for name in names}, "by": by["name"] if by else None}
