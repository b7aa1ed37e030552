"""Filters of the e-mail queue page: which mails are meant, by its tab and the keys of its query string."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Any

from crmapp.addresses import InvalidAddress, normalise
from crmapp.database import Db, Document
from crmapp.mailqueue import counts
from crmapp.mailqueue.queue import MailEvent, MailStatus
from crmapp.mailqueue.replies import Reason
from crmapp.requests import BadInput, day, day_after, text


class State(StrEnum):
    """The tabs."""

    PENDING = "pending"
    PROCESSING = "processing"
    FAILED = "failed"
    SENT = "sent"
    DROPPED = "dropped"


KEYS = ("q", "reason", "sessionId", "address", "from", "to")
IN_QUEUE = (State.PENDING, State.PROCESSING)
WITH_REASON = (State.FAILED, State.DROPPED)
BASE: dict[State, Document] = {
    State.PENDING: {"status": MailStatus.PENDING},
    State.PROCESSING: {"status": MailStatus.PROCESSING},
    State.FAILED: counts.NOT_DROPPED,
    State.SENT: {"type": MailEvent.SENT, "repeat": None},
    State.DROPPED: counts.DROPPED,
}
# Where the words of the mail server stand.
WORDS = {State.FAILED: "error", State.DROPPED: "error", State.SENT: "reply"}


def parse(values: dict[str, Any]) -> dict[str, str]:
    """The keys of a filter that are set, checked. Raises BadInput, also for a key that does not exist."""
    unknown = sorted(set(values) - set(KEYS))
    if unknown:
        raise BadInput(f"There is no filter {unknown[0][:60]!r}. There are: {', '.join(KEYS)}.")
    filter = {name: value for name in KEYS if (value := text(values, name, most=200))}
    if filter.get("reason", Reason.FAULT) not in list(Reason):
        raise BadInput(f"reason must be one of {', '.join(Reason)}.")
    for name in ("from", "to"):
        if name in filter:
            day_after(filter[name], name)
    return filter


def parse_state(values: dict[str, Any]) -> State:
    """Which tab is asked for. Raises BadInput."""
    name = text(values, "state", most=20) or State.PENDING
    if name not in list(State):
        raise BadInput(f"state must be one of {', '.join(State)}.")
    return State(name)


def to_query(db: Db, state: State, filter: dict[str, str]) -> Document:
    """The MongoDB query of a parsed filter, for the collection in which the mails of `state` are."""
    query: Document = {**BASE[state]}
    if filter.get("sessionId"):
        query["sessionId"] = filter["sessionId"]
    if filter.get("reason") and state in WITH_REASON:
        query["reason"] = filter["reason"]
    if filter.get("address"):
        query["$and"] = [_of_address(db, state, filter["address"])]
    time = "at" if state == State.SENT else "createdAt"
    if filter.get("from"):
        query.setdefault(time, {})["$gte"] = day(filter["from"], "from")
    if filter.get("to"):
        query.setdefault(time, {})["$lt"] = day_after(filter["to"], "to")
    if filter.get("q"):
        # Literal text only: a pattern from outside could keep the server busy for ever.
        found = {"$regex": re.escape(filter["q"]), "$options": "i"}
        query["$or"] = [{name: found} for name in ("email", WORDS.get(state, "email"))]
    return query


def _of_address(db: Db, state: State, address: str) -> Document:
    """Of the person who has this address now, also what went to an earlier one."""
    try:
        address = normalise(address)
    except InvalidAddress:
        return {"email": address}
    user = db.users.find_one({"email": address}, {"activationId": 1})
    if user is None:
        return {"email": address}
    return waiting_of(user) if state in IN_QUEUE else {"userId": user["_id"]}


def waiting_of(user: Document) -> Document:
    """The query of a user's mails in the queue. It goes by their session, because an index by user would make every
    claim dearer."""
    return {"sessionId": {"$in": [user.get("activationId"), None]}, "userId": user["_id"]}
