"""The journal's pages, and their JSON twins."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from crmapp.accounts import staff
from crmapp.accounts.access import signed_in, wants_json
from crmapp.audit import record as audit
from crmapp.clock import now
from crmapp.database import Document, db
from crmapp.forms import BadFields, submitted
from crmapp.journal import entries, lead_choice
from crmapp.journal.fields import FIELDS, LONGEST_TEXT, Kind
from crmapp.journal.filters import KEYS
from crmapp.paging import kept_query
from crmapp.versions import Changed
from crmapp.wire import iso, success

journal = Blueprint("journal", __name__, url_prefix="/crm/journal")


@journal.get("")
def index() -> ResponseReturnValue:
    page, filter = entries.list_page(db, signed_in(), request.args.to_dict())
    if wants_json():
        return success(page.to_dict())
    people = staff.known_to(db, signed_in())
    lead = lead_choice.label_of(db, signed_in(), filter.get("lead", ""))
    return render_template(
        "journal/index.html",
        page=page,
        title=entries.title,
        filter=filter,
        kinds=list(Kind),
        lead=lead,
        labels={
            "author": staff.names(people),
            "lead": {filter.get("lead"): lead or "exists no more"},
        },
        kept=kept_query(KEYS),
    )


@journal.get("/leads")
def leads() -> ResponseReturnValue:
    return success({"items": lead_choice.suggest(db, signed_in(), request.args)})


@journal.get("/new")
def new() -> ResponseReturnValue:
    lead_id = request.args.get("lead", "")
    return _form({"leadId": lead_id, "kind": Kind.CALL.value, "at": iso(now())})


@journal.post("")
def add() -> ResponseReturnValue:
    values = submitted(FIELDS)
    try:
        entry = entries.add(db, values, signed_in())
    except BadFields as error:
        return _refused(error, values)
    return _saved(entry, "is in the journal", 201)


@journal.get("/<entry_id>")
def show(entry_id: str) -> ResponseReturnValue:
    entry = _find(entry_id)
    return success(entry) if wants_json() else _form(entries.as_typed(entry), entry)


@journal.patch("/<entry_id>")
@journal.post("/<entry_id>")
def change(entry_id: str) -> ResponseReturnValue:
    values, entry = submitted(FIELDS), _find(entry_id)
    try:
        changed = entries.change(db, signed_in(), entry, values)
    except (BadFields, Changed) as error:
        return _refused(error, values, entry)
    return _saved(changed, "is saved")


@journal.delete("/<entry_id>")
@journal.post("/<entry_id>/delete")
def remove(entry_id: str) -> ResponseReturnValue:
    entry = _find(entry_id)
    entries.remove(db, entry)
    return _saved(entry, "is deleted")


def _find(entry_id: str) -> Document:
    entry = entries.find(db, signed_in(), entry_id)
    if entry is None:
        raise NotFound("There is no such journal entry any more.")
    return entry


def _saved(entry: Document, what: str, status: int = 200) -> ResponseReturnValue:
    audit.note(entries.title(entry), id=str(entry["id"]))
    if wants_json():
        return success(entry, status)
    flash(f"{entries.title(entry)} {what}.")
    return redirect(url_for("journal.index", **kept_query(KEYS)))


def _refused(
    error: BadFields | Changed, values: dict[str, Any], entry: Document | None = None
) -> ResponseReturnValue:
    if wants_json():
        raise error
    if entry and isinstance(error, Changed):
        # Whoever has read what it says saves over what is there now.
        values["updatedAt"] = iso(_find(str(entry["id"]))["updatedAt"])
    return _form(values, entry, error), error.status


def _form(
    typed: dict[str, Any],
    entry: Document | None = None,
    error: BadFields | Changed | None = None,
) -> str:
    """The page of one entry, or of a new one, with what was typed."""
    lead = typed.get("lead") or lead_choice.label_of(db, signed_in(), typed.get("leadId", ""))
    return render_template(
        "journal/form.html",
        typed={**typed, "lead": lead},
        entry=entry,
        title=entries.title,
        errors=getattr(error, "errors", {}),
        changed=error if isinstance(error, Changed) else None,
        kinds=list(Kind),
        longest_text=LONGEST_TEXT,
        kept=kept_query(KEYS),
    )
