"""Leads as a CSV file that can be imported again.

What a file cannot give to a new lead is told and read over: the states and the day of an activation. Spaces around a
text, and those in a row in a text of one line, are not kept. A lead without an address, and a second one with the same,
is a bad row; so is what is longer than an import takes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from bson import ObjectId

from crmapp.accounts import rights, staff
from crmapp.accounts.users import User
from crmapp.clock import now
from crmapp.csvcells import to_csv
from crmapp.database import Db, Document
from crmapp.leads import filters, selections, sorting
from crmapp.requests import BadInput, text
from crmapp.wire import iso

COLUMNS = {
    "Name": "name",
    "Email": "email",
    "Phone": "phone",
    "Company": "company",
    "Source": "source",
    "Status": "status",
    "Tags": "tags",
    "Agent": "agentId",
    "Notes": "notes",
    "Created": "createdAt",
    "Activated": "activatedAt",
}
BATCH = 1000
BYTE_ORDER_MARK = "\ufeff"  # by it spreadsheets know UTF-8


def export(db: Db, user: User, values: Mapping[str, Any]) -> tuple[str, Iterator[str]]:
    """A name for the file of the leads of `user` that a query string asks for, by a filter and a sort or by
    selectionId, and its text in pieces. Raises BadInput, before the first piece."""
    leads = _selected(db, user, values) if values.get("selectionId") else _found(db, user, values)
    agents = {person["_id"]: person["email"] for person in staff.everyone(db)}
    lines = ([_told(lead.get(name), agents) for name in COLUMNS.values()] for lead in leads)
    return f"leads-{now():%Y-%m-%d}.csv", _marked(to_csv(list(COLUMNS), lines))


def _selected(db: Db, user: User, values: Mapping[str, Any]) -> Iterator[Document]:
    if len(values) > 1:
        raise BadInput("Send either selectionId or a filter.")
    selection = selections.find(db, user, text(values, "selectionId", most=100))
    return _of_parts(db, user, selection["_id"])


def _of_parts(db: Db, user: User, selection_id: str) -> Iterator[Document]:
    for ids in selections.ids_of(db, selection_id):
        theirs = {**rights.leads_of(user), "_id": {"$in": ids}}
        leads = {lead["_id"]: lead for lead in db.leads.find(theirs, _fields())}
        yield from (leads[lead_id] for lead_id in ids if lead_id in leads)


def _found(db: Db, user: User, values: Mapping[str, Any]) -> Iterator[Document]:
    """However long it takes: each batch is a query of its own, and a short one."""
    filter = filters.parse({name: value for name, value in values.items() if name != "sort"})
    order = sorting.order_of(values.get("sort"))
    query = rights.within(rights.leads_of(user), filters.to_query(filter))
    found = db.leads.find(query, _fields(), batch_size=BATCH)
    return iter(found.sort(order).allow_disk_use(True))


def _fields() -> Document:
    return dict.fromkeys(COLUMNS.values(), 1)


def _told(value: Any, agents: Mapping[ObjectId, str]) -> Any:
    if isinstance(value, str):
        # An import takes any end of a line for this one.
        return value.replace("\r\n", "\n").replace("\r", "\n") if "\r" in value else value
    if isinstance(value, list):
        return "; ".join(map(str, value))
    if isinstance(value, ObjectId):
        return agents.get(value)
    return iso(value) if isinstance(value, datetime) else value


def _marked(pieces: Iterator[str]) -> Iterator[str]:
    yield BYTE_ORDER_MARK
    yield from pieces
