"""Sending an invitation again: for an administrator, for the invited person, and to a corrected address."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum
from typing import TypeVar

from bson import ObjectId
from pymongo.client_session import ClientSession
from pymongo.errors import DuplicateKeyError

from crmapp.accounts.tokens import BadLink, LinkFault, read_invitation
from crmapp.accounts.users import UserStatus, new_nonce
from crmapp.addresses import InvalidAddress, normalise
from crmapp.clock import now
from crmapp.database import Db, Document
from crmapp.invitations.letter import TEMPLATE, new_mail
from crmapp.invitations.links import open_link
from crmapp.leads import changes as changes_of_leads
from crmapp.leads import words
from crmapp.mailqueue import queue
from crmapp.mailqueue.announce import announce
from crmapp.mailqueue.counts import NOT_DROPPED
from crmapp.mailqueue.failed import requeued
from crmapp.mailqueue.filters import waiting_of
from crmapp.mailqueue.queue import MailEvent
from crmapp.requests import BadInput

T = TypeVar("T")

RENEW_SECONDS = 300
UNNEEDED = "This user has chosen a password already and needs no invitation."
# Not a superseded one: an old letter in other hands could make every new link useless.
RENEWABLE = (LinkFault.EXPIRED,)


class Outcome(StrEnum):
    QUEUED = "queued"  # a new mail
    REQUEUED = "requeued"  # the one that had failed
    ALREADY_WAITING = "already_waiting"  # nothing new, because one is about to be sent


class TooSoon(Exception):
    """This person asked for a new invitation just now."""


def reissue(db: Db, user_id: ObjectId, by: Document) -> Outcome:
    """Send the user of this id a new invitation, which makes earlier links useless. `by` is the administrator
    {id, name}. Raises BadInput where there is no such user or they need none."""
    outcome = _send_again(db, {"_id": user_id}, by)
    if outcome is not None:
        return outcome
    if db.users.find_one({"_id": user_id}, {"_id": 1}):
        raise BadInput(UNNEEDED, 409)
    raise BadInput("There is no such user.", 404)


def renew(db: Db, token: str) -> str:
    """Send the person whose newest link has expired a new one. Returns their address, most of it hidden:
    the link may have come into other hands.

    Raises BadLink where the link has nothing to be renewed, TooSoon less than RENEW_SECONDS after the last time.
    """
    user_id = _renewable(db, token)
    user = db.users.find_one({"_id": user_id})
    if user is None:
        raise BadLink(LinkFault.INVALID)
    if not remind(db, user_id):
        raise TooSoon
    return masked(user["email"])


def remind(db: Db, user_id: ObjectId) -> bool:
    """Send the invited user a new invitation because they asked for it. False less than RENEW_SECONDS after the last
    time."""
    due = now() - timedelta(seconds=RENEW_SECONDS)
    asked: Document = {"_id": user_id, "invitedAgainAt": {"$not": {"$gt": due}}}
    return _send_again(db, asked, None) is not None


def _renewable(db: Db, token: str) -> ObjectId:
    try:
        user, _ = open_link(db, token)
    except BadLink as error:
        if error.fault not in RENEWABLE:
            raise
        return read_invitation(token).user_id
    return user.key


def masked(email: str) -> str:
    """ann@example.com as a•••@example.com."""
    local, _, domain = email.rpartition("@")
    return f"{local[:1]}•••@{domain}"


def _send_again(db: Db, who: Document, by: Document | None) -> Outcome | None:
    """None where no invited user matches `who`."""
    sessions: list[str | None] = []

    def work(session: ClientSession) -> Outcome | None:
        # The user first: of two who ask at once, the second one then sees the first one's mail.
        changes = {"$set": {"invitedAgainAt": now()}}
        user = db.users.find_one_and_update(
            {**who, "status": UserStatus.INVITED}, changes, session=session
        )
        if user is None:
            return None
        waiting = {**waiting_of(user), "template": TEMPLATE}
        if db.pending_emails.find_one(waiting, {"_id": 1}, session=session):
            return Outcome.ALREADY_WAITING
        # What was composed with the old nonce has left: only the newest link opens.
        _change_nonce(db, user["_id"], session)
        failed = _failed(db, user["_id"], session)
        mail = requeued(failed) if failed else new_mail(user, None)
        queue.enqueue(db, [mail], session)
        if failed:
            db.failed_emails.delete_one({"_id": failed["_id"]}, session=session)
            sessions[:] = [failed["sessionId"]]
        _note(db, mail, MailEvent.REQUEUED, _RESENT if by else _ASKED_FOR, by, session)
        return Outcome.REQUEUED if failed else Outcome.QUEUED

    outcome = _in_transaction(db, work)
    if outcome in (Outcome.QUEUED, Outcome.REQUEUED):
        announce(db, sessions)
    return outcome


_RESENT = "a new invitation was sent"
_ASKED_FOR = "the invited person asked for a new invitation"


def _change_nonce(db: Db, user_id: ObjectId, session: ClientSession) -> None:
    db.users.update_one({"_id": user_id}, {"$set": {"inviteNonce": new_nonce()}}, session=session)


def _failed(db: Db, user_id: ObjectId, session: ClientSession) -> Document | None:
    """The user's newest failed invitation, where it may be sent again under its id."""
    mine = {"userId": user_id, "template": TEMPLATE, **NOT_DROPPED}
    mail = db.failed_emails.find_one(mine, sort=[("_id", -1)], session=session)
    return None if mail is None or _was_sent(db, mail, session) else mail


def _was_sent(db: Db, mail: Document, session: ClientSession) -> bool:
    return db.events.find_one({"_id": mail["_id"]}, {"_id": 1}, session=session) is not None


def correct_address(db: Db, mail_id: ObjectId, email: str, by: Document) -> str:
    """Send the failed mail `mail_id` to another address, which becomes the user's and the lead's; the link in what
    was sent before opens nothing any more. Returns the address as it is stored.

    Raises BadInput: 400 for an address that is none, 404 where the mail has not failed any more, 409 where another
    user has the address, or the invitation was taken already.
    """
    try:
        address = normalise(email)
    except InvalidAddress as error:
        raise BadInput(str(error)) from None
    sessions: list[str | None] = []

    def work(session: ClientSession) -> None:
        mail = db.failed_emails.find_one({"_id": mail_id}, session=session)
        if mail is None:
            raise BadInput("This mail is not among the failed ones any more. Reload the page.", 404)
        if _was_sent(db, mail, session):
            raise BadInput("This mail was sent in the meantime. Reload the page.", 409)
        _change_address(db, mail["userId"], address, by, session)
        corrected = {**requeued(mail), "email": address}
        try:
            db.pending_emails.insert_one(corrected, session=session)
        except DuplicateKeyError:
            raise BadInput(
                "This mail is being tried again already. Reload the page.", 409
            ) from None
        db.failed_emails.delete_one({"_id": mail_id}, session=session)
        _note(db, corrected, MailEvent.CORRECTED, f"{mail['email']} → {address}", by, session)
        sessions[:] = [mail["sessionId"]]

    _in_transaction(db, work)
    announce(db, sessions)
    return address


def _change_address(
    db: Db, user_id: ObjectId, address: str, by: Document, session: ClientSession
) -> None:
    changes = {"email": address, "inviteNonce": new_nonce()}
    try:
        user = db.users.find_one_and_update(
            {"_id": user_id, "status": UserStatus.INVITED}, {"$set": changes}, session=session
        )
    except DuplicateKeyError:
        raise BadInput(f"Another user has the address {address} already.", 409) from None
    if user is None:
        raise BadInput(UNNEEDED, 409)
    lead = db.leads.find_one({"_id": user.get("leadId")}, session=session)
    if lead:
        found_by = words.of({**lead, "email": address})
        changed = {"email": address, "words": found_by, "updatedAt": now()}
        db.leads.update_one({"_id": lead["_id"]}, {"$set": changed}, session=session)
        noted = changes_of_leads.event(
            lead["_id"], by, "edit", {"email": [lead.get("email"), address]}
        )
        db.events.insert_one(noted, session=session)


def queue_missing(db: Db, user_ids: list[ObjectId]) -> int:
    """Queue the invitations of activated users that have none. Returns how many."""
    users = list(db.users.find({"_id": {"$in": user_ids}}))
    if users:
        queue.enqueue(db, [new_mail(user, user["activationId"]) for user in users])
    return len(users)


def _note(
    db: Db, mail: Document, type: MailEvent, text: str, by: Document | None, session: ClientSession
) -> None:
    db.events.insert_one(queue.event(mail, type, text, by=by), session=session)


def _in_transaction(db: Db, work: Callable[[ClientSession], T]) -> T:
    with db.client.start_session() as session:
        return session.with_transaction(work)
