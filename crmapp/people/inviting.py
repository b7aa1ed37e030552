"""Invitations that are sent again, by those who may."""

from __future__ import annotations

from bson import ObjectId

from crmapp.accounts.users import User
from crmapp.database import Db
from crmapp.invitations import resend
from crmapp.invitations.resend import Outcome
from crmapp.people import verdicts


def invite_again(db: Db, actor: User, user_id: ObjectId) -> Outcome:
    """Raises Refused, and BadInput where the user changes meanwhile."""
    verdicts.check_invitation(actor, db.users.find_one({"_id": user_id}))
    return resend.reissue(db, user_id, actor.who)


def correct_address(db: Db, actor: User, mail_id: ObjectId, email: str) -> str:
    """Send a failed mail to another address (see resend.correct_address). Its link opens the account: only who may
    change the user may say where it goes. Raises Refused and BadInput."""
    mail = db.failed_emails.find_one({"_id": mail_id}, {"userId": 1})
    user = db.users.find_one({"_id": mail["userId"]}) if mail else None
    if user:
        verdicts.check_reach(actor, user)
    return resend.correct_address(db, mail_id, email, actor.who)
