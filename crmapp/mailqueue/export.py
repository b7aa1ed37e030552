"""A list of the e-mail queue page as a CSV file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from crmapp.csvcells import to_csv
from crmapp.database import Db
from crmapp.mailqueue import rows
from crmapp.mailqueue.filters import parse, parse_state

COLUMNS = {
    "State": "state",
    "E-mail": "email",
    "Reason": "reason",
    "Server's words": "error",
    "Attempts": "attempts",
    "Queued": "createdAt",
    "Next try": "visibleAt",
    "Last attempt": "lastAttemptDate",
    "Sent": "sentAt",
    "Session": "sessionId",
    "Template": "template",
    "Message-ID": "messageId",
    "User": "userId",
}


def export(db: Db, values: dict[str, Any]) -> tuple[str, Iterator[str]]:
    """A name for the file that the query string `values` asks for, and its text in pieces. Raises BadInput, before
    the first piece."""
    state = parse_state(values)
    filter = parse({name: value for name, value in values.items() if name != "state"})
    lines = (_line(mail) for mail in rows.every(db, state, filter))
    return f"email-{state}.csv", to_csv(list(COLUMNS), lines)


def _line(mail: dict[str, Any]) -> list[Any]:
    words = {"error": mail.get("error") or mail.get("reply")}
    return [{**mail, **words}.get(name) for name in COLUMNS.values()]
