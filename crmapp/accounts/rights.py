"""What each role may reach, see and do."""

from __future__ import annotations

from crmapp.accounts.users import Role, User
from crmapp.database import Document

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


# The routes that agents reach, by their endpoints; they are let into no other. What each of them shows and changes is
# limited by `leads_of` and `written_by`.
AGENTS_REACH = frozenset(
    {
        "streams.stream",
        "openapi.show",
        "dashboard.index",
        "search.index",
        "leads.index",
        "leads.companies",
        "leads.freeze",
        "saved_filters.index",
        "saved_filters.add",
        "saved_filters.delete",
        "imports.export_csv",
        "lead_card.show",
        "lead_card.change",
        "bulk.preview",
        "bulk.start",
        "jobs.index",
        "jobs.active",
        "jobs.history",
        "jobs.history_csv",
        "jobs.show",
        "jobs.show_errors",
        "jobs.errors_csv",
        "jobs.steer",
        "jobs.retry",
        "activation.active",
        "activation.show_progress",
        "activation.stream",
        "journal.index",
        "journal.leads",
        "journal.new",
        "journal.add",
        "journal.show",
        "journal.change",
        "journal.remove",
        "goals.index",
        "goals.new",
        "goals.add",
        "goals.show",
        "goals.change",
        "goals.remove",
    }
)
# Caught mail holds links that open accounts.
SUPERADMINS_REACH = frozenset({"local.mail", "local.message"})
BELOW_ADMIN = (Role.AGENT, Role.USER)


def may_reach(user: User, endpoint: str) -> bool:
    """Whether a route of the back office is there for `user`."""
    if endpoint in SUPERADMINS_REACH:
        return user.may_enter_back_office and user.sees_everything
    if user.may_enter_back_office:
        return True
    return user.may_enter and endpoint in AGENTS_REACH


def leads_of(user: User) -> Document:
    """The MongoDB query of the leads that `user` may see and work with."""
    return {} if user.may_enter_back_office else {"agentId": user.key}


def written_by(user: User) -> Document:
    """The MongoDB query of what has a `userId`, goals for one, as far as `user` may see it."""
    return {} if user.may_enter_back_office else {"userId": user.key}


def covers(user: User, lead: Document) -> bool:
    """Whether a lead as stored is one of `leads_of(user)`."""
    return user.may_enter_back_office or lead.get("agentId") == user.key


def within(limits: Document, query: Document) -> Document:
    """The query of what `query` means among what `limits`, one of the above, allow."""
    if not limits or not query:
        return query or limits
    return {"$and": [limits, query]} if limits.keys() & query.keys() else {**limits, **query}


def may_manage(actor: User, role: str) -> bool:
    """Whether `actor` may change users who have `role`, and give it to others: nobody reaches above themselves."""
    return actor.role == Role.SUPERADMIN or (actor.role == Role.ADMIN and role in BELOW_ADMIN)
