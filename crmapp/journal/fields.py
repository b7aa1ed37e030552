"""What a journal entry holds, and how it is read from a form or a JSON object."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from crmapp.accounts.users import User
from crmapp.clock import now
from crmapp.database import Db, Document
from crmapp.forms import lines, moment, needed, one_of, read_each
from crmapp.journal import lead_choice
from crmapp.requests import BadInput


class Kind(StrEnum):
    """What took place."""

    CALL = "call"
    NOTE = "note"
    MEETING = "meeting"


FIELDS = ("leadId", "kind", "text", "at", "updatedAt")
LONGEST_TEXT = 10_000
# Clocks differ: what took place just now may lie ahead of the server's.
AHEAD = timedelta(minutes=5)


def read(db: Db, user: User, values: Mapping[str, Any], known_lead: Any = None) -> Document:
    """The fields of an entry by `user`, checked. The lead `known_lead` is taken even where it no longer exists.
    Raises BadFields."""
    return read_each(
        {
            "leadId": lambda: lead_choice.read(db, user, values, known_lead),
            "kind": lambda: one_of(values, "kind", list(Kind)),
            "text": lambda: needed(lines(values, "text", LONGEST_TEXT), "Write what happened."),
            "at": lambda: _past(moment(values, "at")) if values.get("at") else now(),
        }
    )


def _past(time: datetime) -> datetime:
    if time > now() + AHEAD:
        raise BadInput("That lies in the future: the journal holds what has taken place.")
    return time
