"""Mails in every state, as the queue leaves them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from bson import ObjectId

from crmapp.clock import now
from crmapp.mailqueue import queue

SESSION = "activation_1700000000000_abcd"


def pending(db: Any, email: str = "ivy@example.com", **fields: Any) -> dict[str, Any]:
    """Queue a mail."""
    mail = queue.new_mail("invitation", ObjectId(), email, SESSION, "crm.example.com", now())
    mail |= fields
    queue.enqueue(db, [mail])
    return mail


def failed(db: Any, email: str = "ivy@example.com", **fields: Any) -> dict[str, Any]:
    """Have a mail fail."""
    mail = queue.new_mail("invitation", ObjectId(), email, SESSION, "crm.example.com", now())
    for name in ("status", "token", "visibleAt", "throttles"):
        del mail[name]
    mail |= {"reason": "mailbox_unknown", "error": "550 5.1.1 No such user", "attempts": 1}
    mail |= {"lastAttemptDate": now(), "dropped": False, **fields}
    db.failed_emails.insert_one(mail)
    return mail


def note_sent(db: Any, mail: dict[str, Any], reply: str = "250 Taken", ago: int = 0) -> None:
    """Put on record that `mail` was sent `ago` seconds before now."""
    event = queue.event({"attempts": 0, **mail}, queue.MailEvent.SENT, reply)
    at = now() - timedelta(seconds=ago)
    db.events.insert_one({**event, "_id": mail["_id"], "at": at})


def sent(db: Any, email: str = "ivy@example.com", ago: int = 0, **fields: Any) -> dict[str, Any]:
    """Have a mail sent."""
    mail = queue.new_mail("invitation", ObjectId(), email, SESSION, "crm.example.com", now())
    note_sent(db, mail | fields, ago=ago)
    return mail | fields


def events(db: Any, type: str) -> list[dict[str, Any]]:
    return list(db.events.find({"type": type}).sort("_id", 1))
