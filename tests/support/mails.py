"""Invitations in the queue, without the activation that makes them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from crmapp.accounts import users
from crmapp.accounts.users import Role
from crmapp.clock import now
from crmapp.mailqueue import queue


def queue_mails(
    db: Any, addresses: Iterable[str], session_id: str | None = None
) -> list[dict[str, Any]]:
    """An invitation to each address, due now, the first one the oldest."""
    addresses = list(addresses)
    people = [users.new_user(address, "Some Body", Role.USER) for address in addresses]
    first_at = now() - timedelta(milliseconds=len(addresses))
    mails = [
        queue.new_mail(
            "invitation",
            person["_id"],
            person["email"],
            session_id,
            "crm.example.com",
            first_at + timedelta(milliseconds=number),
        )
        for number, person in enumerate(people)
    ]
    db.users.insert_many(people)
    queue.enqueue(db, mails)
    return mails


def timeline(db: Any, mail: dict[str, Any]) -> list[dict[str, Any]]:
    """What became of a mail, oldest first."""
    return list(db.events.find({"mailId": mail["_id"]}).sort([("at", 1)]))
