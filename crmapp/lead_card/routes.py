"""A lead's page, and its JSON twin."""

from __future__ import annotations

from typing import Any

from bson import ObjectId
from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from crmapp.accounts import rights
from crmapp.accounts.access import signed_in, wants_json
from crmapp.audit import record as audit
from crmapp.database import Document, db
from crmapp.forms import BadFields, submitted
from crmapp.goals.goals import number_text
from crmapp.lead_card import card, editing, fields, timeline
from crmapp.lead_card.fields import FIELDS, name_of
from crmapp.leads import listing
from crmapp.leads.fields import LONGEST, STAGES
from crmapp.versions import Changed
from crmapp.wire import iso, success

lead_card = Blueprint("lead_card", __name__, url_prefix="/crm/leads")

# Other addresses below /crm/leads are not as long as an id.
ONE = "/<string(length=24):lead_id>"


@lead_card.get("/new")
def new() -> ResponseReturnValue:
    return _form({"status": STAGES[0]})


@lead_card.post("")
@lead_card.post("/new")
def add() -> ResponseReturnValue:
    values = submitted(FIELDS)
    try:
        lead = editing.add(db, values, signed_in())
    except BadFields as error:
        if wants_json():
            raise
        return _form(values, error), error.status
    audit.note(name_of(lead), id=str(lead["_id"]))
    if wants_json():
        return success(lead, 201)
    flash(f"{name_of(lead)} is added.")
    return redirect(url_for("lead_card.show", lead_id=lead["_id"]))


@lead_card.get(ONE)
def show(lead_id: str) -> ResponseReturnValue:
    lead = _find(lead_id)
    if wants_json():
        return success({"lead": lead, **card.around(db, lead, signed_in())})
    return _page(lead, fields.as_typed(lead))


@lead_card.patch(ONE)
@lead_card.post(ONE)
def change(lead_id: str) -> ResponseReturnValue:
    values = submitted(FIELDS)
    _find(lead_id)
    try:
        lead, changed = editing.change(db, ObjectId(lead_id), values, signed_in())
    except (BadFields, Changed) as error:
        return _refused(error, values, lead_id)
    audit.note(name_of(lead), fields=changed)
    if wants_json():
        return success(lead)
    flash(f"{name_of(lead)} is saved." if changed else "Nothing was changed.")
    return redirect(url_for("lead_card.show", lead_id=lead_id))


@lead_card.delete(ONE)
@lead_card.post(f"{ONE}/delete")
def remove(lead_id: str) -> ResponseReturnValue:
    lead = _find(lead_id)
    editing.remove(db, ObjectId(lead_id), signed_in())
    audit.note(name_of(lead))
    if wants_json():
        return success(lead)
    flash(f"{name_of(lead)} is deleted.")
    return redirect(url_for("leads.index"))


def _find(lead_id: str) -> Document:
    lead = editing.find(db, signed_in(), lead_id)
    if lead is None:
        raise NotFound("There is no such lead any more.")
    return lead


def _refused(
    error: BadFields | Changed, values: dict[str, Any], lead_id: str
) -> ResponseReturnValue:
    if wants_json():
        raise error
    lead = _find(lead_id)
    if isinstance(error, Changed):
        # Whoever has read what is there now saves over it.
        values["updatedAt"] = iso(lead["updatedAt"]) if lead["updatedAt"] else ""
    return _page(lead, {**fields.as_typed(lead), **values}, error), error.status


def _page(lead: Document, typed: dict[str, Any], error: BadFields | Changed | None = None) -> str:
    """The page of a lead, with what was typed."""
    others = fields.differing(typed, lead) if isinstance(error, Changed) else []
    return render_template(
        "lead_card/show.html",
        lead=lead,
        **card.around(db, lead, signed_in()),
        saved={name: fields.as_typed(lead)[name] for name in others},
        most_told=timeline.MOST,
        held=lead["status"] in fields.HELD,
        number_text=number_text,
        **_parts(typed, error),
    )


def _form(typed: dict[str, Any], error: BadFields | None = None) -> str:
    """The page of a new lead, with what was typed."""
    parts = _parts(typed, error)
    return render_template("lead_card/new.html", lead=None, held=False, saved={}, **parts)


def _parts(typed: dict[str, Any], error: BadFields | Changed | None) -> Document:
    """What the form is made of."""
    choices = listing.choices(db, signed_in())
    return {
        "typed": typed,
        "errors": getattr(error, "errors", {}),
        "changed": error if isinstance(error, Changed) else None,
        "name": name_of,
        "people": dict(choices["agents"]),
        "sources": choices["sources"],
        "all_tags": choices["tags"],
        "stages": STAGES,
        "assigns": "assign" in rights.actions_for(signed_in()),
        "longest": LONGEST,
    }
