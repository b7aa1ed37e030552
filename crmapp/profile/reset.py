"""Replacing a forgotten password: by a link that is sent to the user's address, and works once."""

from __future__ import annotations

import logging
import threading

from flask import current_app

from crmapp.accounts import api_tokens, passwords, sessions, tokens, users
from crmapp.accounts.tokens import BadLink, LinkFault
from crmapp.accounts.users import User, UserStatus
from crmapp.addresses import InvalidAddress, normalise
from crmapp.database import Db
from crmapp.invitations import resend
from crmapp.live.blueprint import live
from crmapp.mailqueue import queue
from crmapp.profile import reset_letter
from crmapp.requests import BadInput

log = logging.getLogger(__name__)


def read_address(email: str) -> str:
    """The address as an account has it. Raises BadInput for what is none."""
    try:
        return normalise(email)
    except InvalidAddress as error:
        raise BadInput(f"This is no e-mail address. {error}", 422) from None


def ask(db: Db, address: str) -> None:
    """Send whoever has this address what they need, beside the request: how long that takes says whether there is
    somebody."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]

    def work() -> None:
        with app.app_context():
            try:
                send(db, address)
            except Exception:
                log.exception("no link to a new password was sent")

    threading.Thread(target=work, name="reset", daemon=True).start()


def send(db: Db, address: str) -> None:
    """Queue the letter. Who was invited and has no password yet gets a new invitation instead."""
    user = db.users.find_one({"email": address})
    if user is None:
        return
    if user["status"] == UserStatus.INVITED:
        resend.remind(db, user["_id"])
    elif user["status"] == UserStatus.ACTIVE:
        users.begin_reset(db, user["_id"])
        queue.enqueue(db, [reset_letter.new_mail(user)])
        live.ring(queue.BELL)


def open_link(db: Db, token: str) -> tuple[User, str]:
    """The user and the nonce of a link that still counts. Raises BadLink. Changes nothing."""
    signed = tokens.read_reset(token)
    document = db.users.find_one({"_id": signed.user_id, "status": UserStatus.ACTIVE})
    if document is None:
        raise BadLink(LinkFault.INVALID)
    if not document.get("resetNonce"):
        raise BadLink(LinkFault.USED)
    if document["resetNonce"] != signed.nonce:
        raise BadLink(LinkFault.SUPERSEDED)
    if signed.expired:
        raise BadLink(LinkFault.EXPIRED)
    return User(document), signed.nonce


def replace(db: Db, token: str, password: str, again: str) -> User:
    """Give the user of the link this password, use the link up, and sign them out everywhere. Raises BadLink and
    PasswordRefused."""
    user, nonce = open_link(db, token)
    passwords.check_choice(password, again, user.name, user.email)
    if users.replace_password(db, user.key, passwords.hash_password(password), nonce) is None:
        raise BadLink(LinkFault.USED)
    # Somebody else may have known the old one, and made tokens.
    api_tokens.revoke_all(db, user.key)
    return sessions.end_all(db, user.key) or user
