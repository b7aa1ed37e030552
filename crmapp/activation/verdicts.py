"""What is to become of a lead: one rule, asked by the preview and by the step that does it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum

from crmapp.addresses import InvalidAddress, normalise
from crmapp.database import Db, Document
from crmapp.jobs.jobs import ItemState


class Reason(StrEnum):
    """Why a lead is not activated."""

    ALREADY_A_USER = "already_a_user"  # its address belongs to a user
    ALREADY_ACTIVE = "already_active"  # it was activated before
    DUPLICATE_IN_SELECTION = "duplicate_in_selection"  # another selected lead has its address
    HELD_BY_ANOTHER_SESSION = "held_by_another_session"  # an activation that is under way has it
    NOT_FOUND = "not_found"  # it was deleted
    INVALID_EMAIL = "invalid_email"  # it has no address that mail could be sent to

    @property
    def state(self) -> ItemState:
        return ItemState.FAILED if self is Reason.INVALID_EMAIL else ItemState.SKIPPED


def address_of(lead: Document) -> str | None:
    """The lead's address as it is stored with users; None where it has none that can be used."""
    try:
        return normalise(lead.get("email") or "")
    except (InvalidAddress, AttributeError, TypeError):
        return None


def verdict(
    address: str | None,
    taken: Mapping[str, str | None],
    seen: Collection[str],
    session_id: str | None,
) -> Reason | None:
    """Why a lead of this address is not activated; None where it is.

    `taken` holds the addresses of users, with the session that made each; `seen` those of leads before it.
    """
    if address is None:
        return Reason.INVALID_EMAIL
    if address in seen:
        return Reason.DUPLICATE_IN_SELECTION
    if address in taken:
        made_here = session_id is not None and taken[address] == session_id
        return Reason.DUPLICATE_IN_SELECTION if made_here else Reason.ALREADY_A_USER
    return None


def taken_addresses(db: Db, addresses: list[str]) -> dict[str, str | None]:
    """Which of these addresses belong to users, and to the session that made them."""
    users = db.users.find({"email": {"$in": addresses}}, {"_id": 0, "email": 1, "activationId": 1})
    return {user["email"]: user.get("activationId") for user in users}
