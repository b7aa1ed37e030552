"""The actions that there are, and what each needs to be told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bson import ObjectId

from crmapp.accounts import staff
from crmapp.accounts.users import UserStatus
from crmapp.bulk import verdicts
from crmapp.bulk.verdicts import Judge
from crmapp.database import Db, Document
from crmapp.leads import fields
from crmapp.requests import BadInput, text

UNUSABLE = 422


@dataclass(frozen=True)
class Action:
    """`read` takes what it needs to be told from a request's body and raises BadInput; `judge` says what is to become
    of a lead, of which it needs `fields`."""

    name: str
    label: str
    doing: str  # what a job of it is at
    read: Callable[[Db, Mapping[str, Any]], Document]
    judge: Judge
    fields: tuple[str, ...]

    @property
    def type(self) -> str:
        """Of its jobs."""
        return f"lead_{self.name}"


def _agent(db: Db, values: Mapping[str, Any]) -> Document:
    if "agentId" not in values:
        raise BadInput("Say to whom: agentId is the id of a user, or null for nobody.")
    wanted = text(values, "agentId", most=24)
    if not wanted:
        return {"agentId": None}
    person = staff.find(db, ObjectId(wanted)) if ObjectId.is_valid(wanted) else None
    if person is None:
        raise BadInput("There is no such person to assign leads to: choose another.", UNUSABLE)
    if person["status"] == UserStatus.DISABLED:
        name = staff.name_of(person)
        raise BadInput(f"The account of {name} is disabled: choose somebody else.", UNUSABLE)
    return {"agentId": person["_id"]}


def _status(_: Db, values: Mapping[str, Any]) -> Document:
    wanted = text(values, "status", most=60)
    if wanted not in fields.STAGES:
        raise BadInput(f"status must be one of {', '.join(fields.STAGES)}.", UNUSABLE)
    return {"status": wanted}


def _tags(_: Db, values: Mapping[str, Any]) -> Document:
    add, remove = (_some_tags(values, name) for name in ("add", "remove"))
    if not add and not remove:
        raise BadInput("Name at least one tag to add or to remove.", UNUSABLE)
    if both := {tag.casefold() for tag in add} & {tag.casefold() for tag in remove}:
        raise BadInput(f"The tag {both.pop()} is to be added and removed: choose.", UNUSABLE)
    return {"add": add, "remove": remove}


def _some_tags(values: Mapping[str, Any], name: str) -> list[str]:
    given = values.get(name) or []
    if not isinstance(given, list) or not all(isinstance(tag, str) for tag in given):
        raise BadInput(f"{name} must be a list of tags.")
    return fields.tags(text({name: tag}, name) for tag in given)


def _nothing(_: Db, __: Mapping[str, Any]) -> Document:
    return {}


ACTIONS = {
    action.name: action
    for action in (
        Action("assign", "Assignment", "Assigning", _agent, verdicts.assign, ("agentId",)),
        Action("status", "Change of status", "Changing", _status, verdicts.status, ("status",)),
        Action("tag", "Tagging", "Tagging", _tags, verdicts.tag, ("tags",)),
        Action("delete", "Deletion", "Deleting", _nothing, verdicts.delete, ("status", "name")),
    )
}


def named(name: str) -> Action:
    """Raises BadInput (404)."""
    if name not in ACTIONS:
        raise BadInput(f"There is no action {name[:60]!r}. There are: {', '.join(ACTIONS)}.", 404)
    return ACTIONS[name]
