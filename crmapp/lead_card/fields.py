"""The fields of a lead on its page: how each is shown, and how it is read from a form or a JSON object."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from bson import ObjectId

from crmapp.accounts import rights, staff
from crmapp.accounts.users import User
from crmapp.addresses import InvalidAddress, normalise
from crmapp.database import Db, Document
from crmapp.forms import lines, one_of, read_each
from crmapp.leads.fields import LONGEST, STAGES, tags
from crmapp.leads.leads import LeadStatus
from crmapp.requests import BadInput, text
from crmapp.wire import iso

TEXTS = ("name", "email", "phone", "company", "source", "notes", "status")
FIELDS = (*TEXTS, "tags", "agentId", "updatedAt")
TIMES = ("createdAt", "updatedAt", "activatedAt")
IDS = ("activationId", "importId")
LONGEST_TAGS = 2000
TAKEN = "This address is taken. Ask an administrator."
_LINE_END = re.compile(r"\r\n|\r|\n")
# The account of such a lead is being made or is there: an activation set its state, and invited this address.
HELD = (LeadStatus.ACTIVATING, LeadStatus.ACTIVE)


def shown(lead: Document) -> Document:
    """Every field, whatever has written the lead: text, times, a list of tags, or None."""
    tags = lead.get("tags")
    agent, creator = lead.get("agentId"), lead.get("createdBy")
    return {
        "_id": lead["_id"],
        **{name: _text(lead.get(name)) for name in TEXTS},
        "tags": [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else [],
        "agentId": agent if isinstance(agent, ObjectId) else None,
        **{name: _time(lead.get(name)) for name in TIMES},
        **{name: _text(lead.get(name)) or None for name in IDS},
        "createdBy": _text(creator.get("name")) or None if isinstance(creator, dict) else None,
    }


def _text(value: Any) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)  # a phone number, say
    return value if isinstance(value, str) else ""


def _time(value: Any) -> datetime | None:
    return value if isinstance(value, datetime) else None


def name_of(lead: Mapping[str, Any]) -> str:
    return str(lead["name"] or lead["email"] or "Lead without a name")


def as_typed(lead: Document) -> dict[str, Any]:
    """The fields of a shown lead as a form holds them."""
    return {
        **{name: lead[name] for name in TEXTS},
        "tags": ", ".join(lead["tags"]),
        "agentId": str(lead["agentId"] or ""),
        "updatedAt": iso(lead["updatedAt"]) if lead["updatedAt"] else "",
    }


def differing(values: Mapping[str, Any], lead: Document) -> list[str]:
    """The fields of which `values` say something else than the shown `lead`."""
    typed = as_typed(lead)
    return [
        name
        for name in FIELDS
        if name in values
        and name != "updatedAt"
        and _plain(name, values[name]) != _plain(name, typed[name])
    ]


def _plain(name: str, value: Any) -> Any:
    """What a browser does by itself is no change: it has its own line ends, and drops those of a field of one line."""
    if name == "tags" and isinstance(value, list):
        value = ", ".join(map(str, value))
    if not isinstance(value, str):
        return value or ""
    return _LINE_END.sub("\n" if name == "notes" else "", value).strip()


def read_new(db: Db, by: User, values: Mapping[str, Any], blank: Document) -> Document:
    """The fields of a new lead, checked; `blank` is how an empty one is shown. Raises BadFields."""
    return _read(db, by, {"status": STAGES[0], **values}, blank, FIELDS)


def read_changes(db: Db, by: User, values: Mapping[str, Any], lead: Document) -> Document:
    """What `values` change of the shown `lead`, checked. What they leave as it is may be anything. Raises BadFields."""
    return _read(db, by, values, lead, differing(values, lead))


def _read(
    db: Db, by: User, values: Mapping[str, Any], lead: Document, wanted: Sequence[str]
) -> Document:
    readers: dict[str, Callable[[], Any]] = {
        **{name: partial(text, values, name, most) for name, most in LONGEST.items()},
        "name": lambda: _name(values, lead, "name" in wanted),
        "notes": lambda: lines(values, "notes", LONGEST["notes"]),
        "email": lambda: _email(db, by, values, lead),
        "tags": lambda: _tags(values),
        "agentId": lambda: _agent(db, values),
        "status": lambda: _status(values, lead),
    }
    also = ["name"] if "email" in wanted else []
    return read_each({name: readers[name] for name in readers if name in [*wanted, *also]})


def _name(values: Mapping[str, Any], lead: Document, wanted: bool) -> str:
    name = text(values, "name", LONGEST["name"]) if wanted else lead["name"]
    if not name and not _plain("email", values.get("email", lead["email"])):
        raise BadInput("A lead needs a name or an e-mail address.")
    return str(name)


def _email(db: Db, by: User, values: Mapping[str, Any], lead: Document) -> str:
    if lead["status"] == LeadStatus.ACTIVATING:
        raise BadInput("The lead is being activated: its address can be changed after that.")
    if lead["status"] == LeadStatus.ACTIVE:
        raise BadInput(
            "The lead has an account: its address is changed where an invitation has failed, in the e-mail queue."
        )
    typed = text(values, "email")
    if not typed:
        return ""
    try:
        address = normalise(typed)
    except InvalidAddress as error:
        raise BadInput(f"This is no e-mail address. {error}") from None
    _refuse_taken(db, by, address, lead["_id"])
    return address


def _refuse_taken(db: Db, by: User, address: str, lead_id: ObjectId) -> None:
    other = db.leads.find_one({"email": address, "_id": {"$ne": lead_id}})
    if other and not rights.covers(by, other):
        raise BadInput(TAKEN)
    if other:
        raise BadInput(f"Another lead has this address: {name_of(shown(other))}.")
    user = db.users.find_one({"email": address, "leadId": {"$nin": [None, lead_id]}})
    if user and by.is_agent:
        raise BadInput(TAKEN)
    if user:
        raise BadInput(f"The user {staff.name_of(user)}, who was another lead, has this address.")


def _tags(values: Mapping[str, Any]) -> list[str]:
    given = values.get("tags")
    if isinstance(given, list):
        return tags(text({"tags": tag}, "tags") for tag in given)
    typed = re.split("[,;]", text(values, "tags", LONGEST_TAGS))
    return tags(tag for tag in typed if tag.strip())


def _agent(db: Db, values: Mapping[str, Any]) -> ObjectId | None:
    typed = text(values, "agentId", most=24)
    if not typed:
        return None
    agent = staff.find(db, ObjectId(typed)) if ObjectId.is_valid(typed) else None
    if agent is None:
        raise BadInput("This person does not work here any more. Choose another one.")
    return ObjectId(typed)


def _status(values: Mapping[str, Any], lead: Document) -> str:
    if lead["status"] in HELD:
        raise BadInput(
            f"The lead is {lead['status']} now, which only its activation changes. Save again to keep the rest."
        )
    return one_of(values, "status", STAGES)
