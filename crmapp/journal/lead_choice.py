"""Choosing a lead by typing: what is offered, and which lead was meant."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from email.utils import parseaddr
from typing import Any, cast

from bson import ObjectId

from crmapp.accounts import rights
from crmapp.accounts.users import User
from crmapp.addresses import InvalidAddress, normalise
from crmapp.database import Db, Document
from crmapp.requests import BadInput, text

MOST = 10
SLOWEST_QUERY_MS = 2000
SHOWN = {"name": 1, "email": 1, "company": 1}


def suggest(db: Db, user: User, values: Mapping[str, Any]) -> list[Document]:
    """Up to ten leads of `user` of whom the address, or a word of the name, begins with the "q" of `values`:
    {id, label, company}. Raises BadInput, and pymongo's ExecutionTimeout where the search takes too long."""
    q = re.escape(text(values, "q", most=200))
    if not q:
        return []
    by_address = _find(db, user, {"email": {"$regex": f"^{q.lower()}"}})
    by_name = _find(db, user, {"name": {"$regex": f"(^|[\\s-]){q}", "$options": "i"}})
    found = {lead["_id"]: lead for lead in [*by_address, *by_name]}
    return [
        {"id": lead["_id"], "label": label(lead), "company": lead.get("company") or ""}
        for lead in list(found.values())[:MOST]
    ]


def _find(db: Db, user: User, query: Document) -> list[Document]:
    query = {**rights.leads_of(user), **query}
    return list(db.leads.find(query, SHOWN).limit(MOST).max_time_ms(SLOWEST_QUERY_MS))


def label(lead: Document) -> str:
    """How a lead is called where one is chosen; `read` understands it."""
    both = lead.get("name") and lead.get("email")
    return f"{lead['name']} <{lead['email']}>" if both else name(lead)


def name(lead: Document) -> str:
    return str(lead.get("name") or lead.get("email") or "a lead without a name")


def label_of(db: Db, user: User, lead_id: str) -> str:
    """The label of the lead of this id; empty where there is none that `user` may see."""
    if not ObjectId.is_valid(lead_id):
        return ""
    lead = db.leads.find_one({"_id": ObjectId(lead_id), **rights.leads_of(user)})
    return label(lead) if lead else ""


def read(db: Db, user: User, values: Mapping[str, Any], known: Any = None) -> ObjectId:
    """The lead of `user` that the "leadId" of `values` names, unless something else was typed under "lead" since: a
    label, or an address. The lead `known` is taken even where it no longer exists. Raises BadInput."""
    lead_id, typed = text(values, "leadId", most=24), text(values, "lead")
    if typed and typed != label_of(db, user, lead_id):
        return _by_address(db, user, typed)
    if not lead_id:
        raise BadInput("Choose the lead that this is about.")
    return _by_id(db, user, lead_id, known)


def _by_address(db: Db, user: User, typed: str) -> ObjectId:
    lead = None
    with suppress(InvalidAddress):
        address = normalise(parseaddr(typed)[1])
        theirs = {**rights.leads_of(user), "email": address}
        lead = db.leads.find_one(theirs, {"_id": 1}, sort=[("_id", -1)])
    if lead is None:
        raise BadInput("No lead is called that. Type a few letters and choose one from the list.")
    return cast(ObjectId, lead["_id"])


def _by_id(db: Db, user: User, lead_id: str, known: Any) -> ObjectId:
    wanted = ObjectId(lead_id) if ObjectId.is_valid(lead_id) else None
    theirs = {**rights.leads_of(user), "_id": wanted}
    if wanted is None or (wanted != known and not db.leads.find_one(theirs, {"_id": 1})):
        raise BadInput("There is no such lead any more. Choose another one.")
    return wanted
