"""The letter with the link to a new password."""

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

TEMPLATE = "password_reset"
SUBJECT = "Choose a new password"


def new_mail(user: Document) -> Document:
    """The mail for `user`, to be queued."""
    domain = urlsplit(current_app.config["PUBLIC_URL"]).hostname or "localhost"
    return queue.new_mail(TEMPLATE, user["_id"], user["email"], None, domain, now())


def compose(db: Db, mails: list[Document]) -> Iterator[tuple[ObjectId, Letter | Exception]]:
    """The letters of these mails, each with its mail's id; an exception for one that cannot be made."""
    return ((mail["_id"], _write(db, mail)) for mail in mails)


def _write(db: Db, mail: Document) -> Letter | Exception:
    try:
        facts = _facts(db.users.find_one({"_id": mail["userId"]}), mail)
        text, html = (
            current_app.jinja_env.get_template(f"mail/password_reset.{form}").render(facts)
            for form in ("txt", "html")
        )
        return Letter(mail["email"], SUBJECT, text, html)
    except Exception as error:
        return error


def _facts(user: Document | None, mail: Document) -> Document:
    if user is None or user["status"] != UserStatus.ACTIVE or user["email"] != mail["email"]:
        raise Unneeded("the user cannot sign in any more, or has another address now")
    if not user.get("resetNonce"):
        raise Unneeded("the password has been replaced already")
    token = tokens.sign_reset(user["_id"], user["resetNonce"])
    link = f"{current_app.config['PUBLIC_URL']}/password/{token}"
    return {"name": user["name"] or user["email"], "link": link}
