"""What the link in an invitation does."""

from __future__ import annotations

from crmapp.accounts import tokens
from crmapp.accounts.passwords import hash_password
from crmapp.accounts.tokens import BadLink, LinkFault
from crmapp.accounts.users import User, UserStatus, choose_password
from crmapp.database import Db


def open_link(db: Db, token: str) -> tuple[User, str]:
    """The invited user and the nonce of a link that still counts. Raises BadLink. Changes nothing."""
    signed = tokens.read_invitation(token)
    document = db.users.find_one({"_id": signed.user_id})
    if document is None:
        raise BadLink(LinkFault.INVALID)
    if document["status"] != UserStatus.INVITED:
        raise BadLink(LinkFault.USED)
    if document["inviteNonce"] != signed.nonce:
        raise BadLink(LinkFault.SUPERSEDED)
    if signed.expired:
        raise BadLink(LinkFault.EXPIRED)
    return User(document), signed.nonce


def accept(db: Db, token: str, password: str) -> User:
    """Give the invited user this password and use the link up. Raises BadLink."""
    user, nonce = open_link(db, token)
    accepted = choose_password(db, user.key, nonce, hash_password(password))
    if accepted is None:
        raise BadLink(LinkFault.USED)
    return accepted
