"""Who may change whom: one rule, asked by a preview and by what it previews."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from crmapp.accounts import rights
from crmapp.accounts.users import User, UserStatus
from crmapp.database import Document
from crmapp.requests import BadInput


class Reason(StrEnum):
    """Why a person is left as they are."""

    NOT_FOUND = "not_found"
    YOURSELF = "yourself"
    ABOVE_YOU = "above_you"
    ROLE_ABOVE_YOU = "role_above_you"
    LAST_SUPERADMIN = "last_superadmin"
    UNCHANGED = "unchanged"
    NOT_INVITED = "not_invited"  # needs no invitation
    DISABLED = "disabled"  # cannot take one


# The status of the answer, and what it says.
ANSWERS = {
    Reason.NOT_FOUND: (404, "There is no such user."),
    Reason.YOURSELF: (403, "Nobody changes their own account here: ask another administrator."),
    Reason.ABOVE_YOU: (403, "Only a superadmin changes the account of an administrator."),
    Reason.ROLE_ABOVE_YOU: (403, "Only a superadmin makes somebody an administrator."),
    Reason.LAST_SUPERADMIN: (
        409,
        "This is the last active superadmin: make somebody else a superadmin first.",
    ),
    Reason.UNCHANGED: (409, "This is so already."),
    Reason.NOT_INVITED: (
        409,
        "This user has chosen a password already and needs no invitation.",
    ),
    Reason.DISABLED: (409, "The account is disabled: enable it first."),
}


class Refused(BadInput):
    """Nothing was changed. Its text says why, in a sentence."""

    def __init__(self, reason: Reason) -> None:
        status, text = ANSWERS[reason]
        super().__init__(text, status)
        self.reason = reason


def check_reach(actor: User, user: Document | None) -> Document:
    """`user` as stored, if there is one whom `actor` may change. Raises Refused."""
    if user is None:
        raise Refused(Reason.NOT_FOUND)
    if user["_id"] == actor.key:
        raise Refused(Reason.YOURSELF)
    if not rights.may_manage(actor, user["role"]):
        raise Refused(Reason.ABOVE_YOU)
    return user


def check_role(actor: User, role: str) -> None:
    """Raise Refused for a role that `actor` may not give."""
    if not rights.may_manage(actor, role):
        raise Refused(Reason.ROLE_ABOVE_YOU)


def changes(actor: User, user: Document | None, wanted: Mapping[str, Any]) -> Document:
    """What would change of `user` for the `wanted` name, role and status (active or disabled). Raises Refused, also
    where nothing would."""
    user = check_reach(actor, user)
    if "role" in wanted:
        check_role(actor, wanted["role"])
    after = {**wanted, **_status(user, wanted.get("status"))}
    changed = {name: value for name, value in after.items() if user.get(name) != value}
    if not changed:
        raise Refused(Reason.UNCHANGED)
    return changed


def _status(user: Document, wanted: str | None) -> Document:
    """Who never chose a password is invited while they are enabled."""
    if wanted != UserStatus.ACTIVE:
        return {"status": wanted} if wanted else {}
    has_password = user.get("passwordHash") is not None
    return {"status": UserStatus.ACTIVE if has_password else UserStatus.INVITED}


def check_invitation(actor: User, user: Document | None) -> None:
    """Raise Refused where `actor` may not send `user` an invitation, or they need none."""
    user = check_reach(actor, user)
    if user["status"] == UserStatus.DISABLED:
        raise Refused(Reason.DISABLED)
    if user["status"] != UserStatus.INVITED:
        raise Refused(Reason.NOT_INVITED)
