"""What is to become of a lead: one rule for each action, asked by the preview and by the run that does it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from crmapp.database import Document
from crmapp.jobs.jobs import ItemState
from crmapp.leads.fields import MOST_TAGS
from crmapp.leads.leads import LeadStatus


class Reason(StrEnum):
    """Why a lead is left as it is."""

    NOT_FOUND = "not_found"  # it was deleted, or is not theirs who wanted it
    HELD_BY_ACTIVATION = "held_by_activation"  # an activation that is under way has it
    HAS_ACCOUNT = "has_account"  # it has become a user
    TOO_MANY_TAGS = "too_many_tags"

    @property
    def state(self) -> ItemState:
        return ItemState.FAILED if self is Reason.TOO_MANY_TAGS else ItemState.SKIPPED


LABELS: dict[str, str] = {
    Reason.NOT_FOUND: "Deleted, or not yours any more",
    Reason.HELD_BY_ACTIVATION: "In an activation that is under way",
    Reason.HAS_ACCOUNT: "Has an account",
    Reason.TOO_MANY_TAGS: f"Would have more than {MOST_TAGS} tags",
}


class Verdict(NamedTuple):
    """`changes` are the fields that get another value; none where the lead is as it should be, or for a `reason`."""

    changes: Document
    reason: Reason | None = None
    delete: bool = False


UNCHANGED = Verdict({})
Judge = Callable[[Document, Mapping[str, Any]], Verdict]


def assign(lead: Document, params: Mapping[str, Any]) -> Verdict:
    agent = params["agentId"]
    return UNCHANGED if lead.get("agentId") == agent else Verdict({"agentId": agent})


def status(lead: Document, params: Mapping[str, Any]) -> Verdict:
    if reason := _held(lead):
        return Verdict({}, reason)
    wanted = params["status"]
    return UNCHANGED if lead.get("status") == wanted else Verdict({"status": wanted})


def tag(lead: Document, params: Mapping[str, Any]) -> Verdict:
    """A tag is added unless the lead has it, whatever its capitals, and taken away likewise."""
    there = lead.get("tags")
    before = [name for name in there if isinstance(name, str)] if isinstance(there, list) else []
    gone = {name.casefold() for name in params["remove"]}
    after = {name.casefold(): name for name in before if name.casefold() not in gone}
    for name in params["add"]:
        after.setdefault(name.casefold(), name)
    if len(after) > MOST_TAGS and len(after) > len(before):
        return Verdict({}, Reason.TOO_MANY_TAGS)
    tags = list(after.values())
    return UNCHANGED if tags == before else Verdict({"tags": tags})


def delete(lead: Document, params: Mapping[str, Any]) -> Verdict:
    reason = _held(lead)
    return Verdict({}, reason) if reason else Verdict({}, delete=True)


def _held(lead: Document) -> Reason | None:
    if lead.get("status") == LeadStatus.ACTIVATING:
        return Reason.HELD_BY_ACTIVATION
    if lead.get("status") == LeadStatus.ACTIVE:
        return Reason.HAS_ACCOUNT
    return None
