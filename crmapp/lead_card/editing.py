"""The few writes of a lead's page. Each is one transaction with the event that tells of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from bson import ObjectId
from pymongo import ReturnDocument
from pymongo.client_session import ClientSession

from crmapp import versions
from crmapp.accounts import rights
from crmapp.accounts.users import User
from crmapp.clock import now
from crmapp.database import Db, Document
from crmapp.lead_card import fields
from crmapp.lead_card.fields import HELD
from crmapp.leads import changes, words
from crmapp.leads.fields import STAGES, new_lead
from crmapp.leads.leads import LeadStatus
from crmapp.requests import BadInput
from crmapp.versions import Changed

T = TypeVar("T")


def add(db: Db, values: Mapping[str, Any], by: User) -> Document:
    """A new lead of the fields that are among `values`, as it is shown. Raises BadFields."""
    blank = fields.shown({"_id": ObjectId(), "status": STAGES[0]})
    checked = fields.read_new(db, by, values, blank)
    lead = new_lead(blank["_id"], checked, now(), createdBy=by.who)
    db.leads.insert_one(lead)
    return fields.shown(lead)


def find(db: Db, user: User, lead_id: str) -> Document | None:
    """The lead of this id, as it is shown, if `user` may see it."""
    if not ObjectId.is_valid(lead_id):
        return None
    lead = db.leads.find_one({"_id": ObjectId(lead_id), **rights.leads_of(user)})
    return fields.shown(lead) if lead else None


def change(
    db: Db, lead_id: ObjectId, values: Mapping[str, Any], by: User
) -> tuple[Document, list[str]]:
    """Change what `values` say otherwise than the lead; an `updatedAt` among them is that of the version that they
    were made for, empty where it had none. Returns the lead as it is shown, and which fields were changed.

    Raises BadInput, BadFields and versions.Changed.
    """

    def work(session: ClientSession) -> tuple[Document, list[str]]:
        found = db.leads.find_one({"_id": lead_id, **rights.leads_of(by)}, session=session)
        if found is None:
            raise Changed("Somebody else has deleted this lead meanwhile.", 404)
        before = fields.shown(found)
        _refuse_stale(before, values)
        told = changes.between(before, fields.read_changes(db, by, values, before))
        if not told:
            return before, []
        if "agentId" in told and "assign" not in rights.actions_for(by):
            raise BadInput("Only an administrator gives a lead to somebody else.", 403)
        after = {name: pair[1] for name, pair in told.items()}
        after |= {"words": words.of({**found, **after}), "updatedAt": now()}
        changed = db.leads.find_one_and_update(
            {"_id": lead_id},
            {"$set": after},
            session=session,
            return_document=ReturnDocument.AFTER,
        )
        assert changed is not None
        db.events.insert_one(changes.event(lead_id, by.who, "edit", told), session=session)
        return fields.shown(changed), list(told)

    return _in_transaction(db, work)


def _refuse_stale(lead: Document, values: Mapping[str, Any]) -> None:
    if "updatedAt" not in values or values["updatedAt"] == fields.as_typed(lead)["updatedAt"]:
        return
    if versions.seen(values) != lead["updatedAt"]:
        raise Changed(
            "Somebody else has changed this lead meanwhile: look at it before you save.", 409
        )


def remove(db: Db, lead_id: ObjectId, by: User) -> None:
    """Delete the lead with its journal entries, also where somebody else has done so meanwhile. Raises BadInput
    (409) for one that an activation holds or that has an account."""

    def work(session: ClientSession) -> None:
        lead = db.leads.find_one({"_id": lead_id}, session=session)
        if lead is None:
            return
        if lead.get("status") in HELD:
            raise BadInput(_why_kept(lead["status"]), 409)
        db.leads.delete_one({"_id": lead_id}, session=session)
        db.journal_entries.delete_many({"leadId": lead_id}, session=session)
        db.events.insert_one(changes.deleted(lead, by.who), session=session)

    _in_transaction(db, work)


def _why_kept(status: str) -> str:
    if status == LeadStatus.ACTIVATING:
        return "This lead is being activated: it can be deleted once that is cancelled or undone."
    return "This lead has an account, and is kept with it."


def _in_transaction(db: Db, work: Callable[[ClientSession], T]) -> T:
    """An activation, or somebody else, may be at the lead: what they have written is read anew."""
    with db.client.start_session() as session:
        return session.with_transaction(work)
