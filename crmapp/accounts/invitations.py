"""Invitations: the letter, and what its link does."""

from __future__ import annotations

from bson import ObjectId
from flask import current_app, render_template
from flask_mail import Message

from crmapp.accounts import tokens
from crmapp.accounts.passwords import hash_password
from crmapp.accounts.tokens import BadLink, LinkFault
from crmapp.accounts.users import User, UserStatus, choose_password
from crmapp.database import Db, Document
from crmapp.mailqueue.sender import Unneeded

TEMPLATE = "invitation"


def compose(db: Db, mail: Document) -> Message:
    """The letter of a queued invitation. Raises Unneeded where its user is gone or has a password already."""
    user = db.users.find_one({"_id": mail["userId"]}, {"name": 1, "status": 1, "inviteNonce": 1})
    if user is None:
        raise Unneeded("the user was removed before the mail was sent")
    if user["status"] != UserStatus.INVITED:
        raise Unneeded("the user needs no invitation any more")
    token = tokens.sign_invitation(user["_id"], user["inviteNonce"])
    facts = {"name": user["name"], "link": f"{current_app.config['PUBLIC_URL']}/invitation/{token}"}
    return Message(
        subject="Your account is ready",
        recipients=[mail["email"]],
        body=render_template("mail/invitation.txt", **facts),
        html=render_template("mail/invitation.html", **facts),
    )


def open_link(db: Db, token: str) -> tuple[User, str]:
    """The invited user and the nonce of a link that still counts. Raises BadLink. Changes nothing."""
    user_id, nonce = tokens.read_invitation(token)
    user = db.users.find_one({"_id": ObjectId(user_id)})
    if user is None:
        raise BadLink(LinkFault.INVALID)
    if user["status"] != UserStatus.INVITED or user["inviteNonce"] != nonce:
        raise BadLink(LinkFault.USED)
    return User(user), nonce


def accept(db: Db, token: str, password: str) -> User:
    """Give the invited user this password and use the link up. Raises BadLink."""
    user, nonce = open_link(db, token)
    accepted = choose_password(db, user.key, nonce, hash_password(password))
    if accepted is None:
        raise BadLink(LinkFault.USED)
    return accepted
