"""Journal entries: the calls, notes and meetings with a lead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from bson import ObjectId

from crmapp import versions
from crmapp.accounts import rights
from crmapp.accounts.users import User
from crmapp.clock import now
from crmapp.database import Db, Document
from crmapp.journal import fields, filters, lead_choice
from crmapp.journal.fields import Kind
from crmapp.paging import Page, find_page
from crmapp.wire import iso


def list_page(db: Db, user: User, values: Mapping[str, Any]) -> tuple[Page, dict[str, str]]:
    """The page that the query string `values` asks for among the entries about leads of `user`, the newest first, and
    its filter. Raises BadInput."""
    filter = filters.parse({name: value for name, value in values.items() if name != "page"})
    page = find_page(db.journal_entries, _query(db, user, filter), "at", values)
    leads = _leads(db, [entry.get("leadId") for entry in page.items])
    return replace(page, items=[_shown(entry, leads) for entry in page.items]), filter


def _query(db: Db, user: User, filter: dict[str, str]) -> Document:
    limits = rights.leads_of(user)
    if limits:
        ids = [lead["_id"] for lead in db.leads.find(limits, {"_id": 1})]
        limits = {"leadId": {"$in": ids}}
    return rights.within(limits, filters.to_query(filter))


def find(db: Db, user: User, entry_id: str) -> Document | None:
    """The entry of this id, as it is shown, if `user` may see its lead."""
    if not ObjectId.is_valid(entry_id):
        return None
    entry = db.journal_entries.find_one({"_id": ObjectId(entry_id)})
    if entry is None or not _may_see(db, user, entry):
        return None
    return _shown(entry, _leads(db, [entry.get("leadId")]))


def _may_see(db: Db, user: User, entry: Document) -> bool:
    limits = rights.leads_of(user)
    lead_id = entry.get("leadId")
    return not limits or db.leads.find_one({"_id": lead_id, **limits}, {"_id": 1}) is not None


def _leads(db: Db, lead_ids: list[Any]) -> dict[Any, Document]:
    ids = [lead_id for lead_id in lead_ids if isinstance(lead_id, ObjectId)]
    found = db.leads.find({"_id": {"$in": ids}}, {"name": 1, "email": 1})
    return {lead["_id"]: lead for lead in found}


def _shown(entry: Document, leads: dict[Any, Document]) -> Document:
    """`lead` is {name, email}; None where the lead exists no more. Whatever wrote the entry, it can be shown."""
    lead_id, words = entry.get("leadId"), entry.get("text")
    lead = leads.get(lead_id) if isinstance(lead_id, ObjectId) else None
    return {
        "id": entry["_id"],
        "leadId": lead_id,
        "lead": {name: lead.get(name) for name in ("name", "email")} if lead else None,
        "kind": entry.get("kind"),
        "text": words if isinstance(words, str) else "",
        **{name: entry.get(name) for name in ("authorId", "authorName")},
        **{name: _time(entry.get(name)) for name in ("at", "createdAt", "updatedAt")},
    }


def _time(value: Any) -> datetime | None:
    return value if isinstance(value, datetime) else None


def title(entry: Document) -> str:
    """What a shown entry is called, like "Call with Olivia Smith"."""
    kind, lead = str(entry["kind"]).capitalize(), entry["lead"]
    if lead is None:
        return kind
    return f"{kind} {'on' if entry['kind'] == Kind.NOTE else 'with'} {lead_choice.name(lead)}"


def add(db: Db, values: Mapping[str, Any], author: User) -> Document:
    """A new entry of `author`. Raises BadFields."""
    time = now()
    entry = {
        **fields.read(db, author, values),
        "authorId": author.key,
        "authorName": author.name or author.email,
        "createdAt": time,
        "updatedAt": time,
    }
    db.journal_entries.insert_one(entry)
    return _shown(entry, _leads(db, [entry["leadId"]]))


def change(db: Db, user: User, entry: Document, values: Mapping[str, Any]) -> Document:
    """Have `user` change the fields of `entry` (from `find`) that are among `values`. An `updatedAt` among them is that
    of the version that they were made for. Raises BadInput, BadFields and versions.Changed."""
    version = versions.seen(values)
    checked = fields.read(db, user, {**as_typed(entry), **values}, entry["leadId"])
    # Only what was sent, so that two who change different fields at once both keep their change.
    changes = {field: value for field, value in checked.items() if field in values}
    changed = versions.save(db.journal_entries, entry["id"], changes, version)
    return _shown(changed, _leads(db, [changed["leadId"]]))


def as_typed(entry: Document) -> dict[str, Any]:
    """The fields of an entry as a form holds them."""
    return {
        "leadId": str(entry["leadId"]),
        "kind": entry["kind"],
        "text": entry["text"],
        "at": iso(entry["at"]) if entry["at"] else "",
        "updatedAt": iso(entry["updatedAt"]) if entry["updatedAt"] else "",
    }


def remove(db: Db, entry: Document) -> None:
    """Delete `entry`, also where somebody else has done so meanwhile."""
    db.journal_entries.delete_one({"_id": entry["id"]})
