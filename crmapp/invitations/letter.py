"""The letter of an invitation."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from bson import ObjectId
from flask import current_app

from crmapp.accounts import tokens
from crmapp.accounts.users import UserStatus
from crmapp.clock import now
from crmapp.database import Db, Document
from crmapp.mailqueue import queue
from crmapp.mailqueue.letter import Letter, Unneeded

TEMPLATE = "invitation"
SUBJECT = "Your account is ready"


def new_mail(user: Document, session_id: str | None) -> Document:
    """An invitation of `user`, to be queued; `session_id` is None outside of an activation."""
    domain = urlsplit(current_app.config["PUBLIC_URL"]).hostname or "localhost"
    return queue.new_mail(TEMPLATE, user["_id"], user["email"], session_id, domain, now())


def compose(db: Db, mails: list[Document]) -> Iterator[tuple[ObjectId, Letter | Exception]]:
    """The letters of queued invitations, each with its mail's id: Unneeded for one whose user is gone or has a password
    already, another exception for one that cannot be made."""
    ids = {"_id": {"$in": [mail["userId"] for mail in mails]}}
    found = db.users.find(ids, {"name": 1, "email": 1, "status": 1, "inviteNonce": 1})
    users = {user["_id"]: user for user in found}
    text, html = (
        current_app.jinja_env.get_template(f"mail/invitation.{kind}") for kind in ("txt", "html")
    )

    def write(mail: Document) -> Letter | Exception:
        try:
            facts = _facts(mail, users.get(mail["userId"]))
            return Letter(mail["email"], SUBJECT, text.render(facts), html.render(facts))
        except Exception as error:
            return error

    return ((mail["_id"], write(mail)) for mail in mails)


def _facts(mail: Document, user: Document | None) -> Document:
    if user is None:
        raise Unneeded("the user was removed before the mail was sent")
    if user["status"] != UserStatus.INVITED:
        raise Unneeded("the user needs no invitation any more")
    if user["email"] != mail["email"]:
        # The link opens the account: it goes to nobody else.
        raise Unneeded("the user has another address now")
    token = tokens.sign_invitation(user["_id"], user["inviteNonce"])
    return {"name": user["name"], "link": f"{current_app.config['PUBLIC_URL']}/invitation/{token}"}
