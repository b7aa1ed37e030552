"""What is to become of a lead: one rule, asked by the preview and by the step that does it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum

from bson import ObjectId

from crmapp.addresses import InvalidAddress, normalise
from crmapp.database import Db, Document
from crmapp.jobs.jobs import ItemState


class Reason(StrEnum):
    """Why a lead is not activated, or is left by an undo."""

    ALREADY_A_USER = "already_a_user"  # its address belongs to a user
    ALREADY_ACTIVE = "already_active"  # it was activated before
    DUPLICATE_IN_SELECTION = "duplicate_in_selection"  # another selected lead has its address
    HELD_BY_ANOTHER_SESSION = "held_by_another_session"  # an activation that is under way has it
    NOT_FOUND = "not_found"  # it was deleted
    INVALID_EMAIL = "invalid_email"  # it has no address that mail could be sent to
    INVITATION_SENT = (
        "invitation_sent"  # kept: its invitation has left, or something was done with it
    )
    IN_USE = "in_use"  # kept: its user has a password, or was disabled

    @property
    def state(self) -> ItemState:
        """Of an item that an activation met it at."""
        return ItemState.FAILED if self is Reason.INVALID_EMAIL else ItemState.SKIPPED


LABELS: dict[str, str] = {
    Reason.ALREADY_A_USER: "Already a user",
    Reason.ALREADY_ACTIVE: "Already activated",
    Reason.DUPLICATE_IN_SELECTION: "The same address twice in the selection",
    Reason.HELD_BY_ANOTHER_SESSION: "In another activation",
    Reason.NOT_FOUND: "Deleted",
    Reason.INVALID_EMAIL: "No usable e-mail address",
    Reason.INVITATION_SENT: "Kept: the invitation has left already",
    Reason.IN_USE: "Kept: the account is in use",
}


def address_of(lead: Document) -> str | None:
    """The lead's address as it is stored with users; None where it has none that can be used."""
    try:
        return normalise(lead.get("email") or "")
    except (InvalidAddress, AttributeError, TypeError):
        return None


Taken = Mapping[ObjectId | str, str | None]


def verdict(
    lead_id: ObjectId,
    address: str | None,
    taken: Taken,
    seen: Collection[str],
    session_id: str | None,
) -> Reason | None:
    """Why a lead of this address is not activated; None where it is.

    `seen` holds the addresses of leads before it; `taken` is what `taken_by_users` says of it.
    """
    if lead_id in taken:
        return Reason.ALREADY_ACTIVE
    if address is None:
        return Reason.INVALID_EMAIL
    if address in seen:
        return Reason.DUPLICATE_IN_SELECTION
    if address in taken:
        made_here = session_id is not None and taken[address] == session_id
        return Reason.DUPLICATE_IN_SELECTION if made_here else Reason.ALREADY_A_USER
    return None


def taken_by_users(db: Db, addresses: Mapping[ObjectId, str | None]) -> Taken:
    """Which of these leads and of their addresses belong to users, with the session that made each user.

    A user's id is its lead's.
    """
    emails = [address for address in addresses.values() if address]
    users = db.users.find(
        {"$or": [{"email": {"$in": emails}}, {"_id": {"$in": list(addresses)}}]},
        {"email": 1, "activationId": 1},
    )
    return {key: user.get("activationId") for user in users for key in (user["_id"], user["email"])}
