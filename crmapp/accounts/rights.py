"""What each role may do with leads."""

from __future__ import annotations

from crmapp.accounts.users import Role, User

EVERY_ACTION = ("activate", "assign", "status", "tag", "export", "delete")
ACTIONS: dict[str, tuple[str, ...]] = {
    Role.SUPERADMIN: EVERY_ACTION,
    Role.ADMIN: EVERY_ACTION,
    Role.AGENT: ("status", "tag", "export"),
    Role.USER: (),
}


def actions_for(user: User) -> tuple[str, ...]:
    """What `user` may do with leads that are selected, in the order in which it is offered."""
    return ACTIONS.get(user.role, ())
