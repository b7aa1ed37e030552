"""The list of leads, its JSON twin, and what its page asks for."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from crmapp.accounts import rights
from crmapp.accounts.access import signed_in, wants_json
from crmapp.database import db
from crmapp.leads import listing, selections
from crmapp.leads.csvfile import NotACsv
from crmapp.leads.importing import import_leads
from crmapp.leads.leads import LeadStatus
from crmapp.requests import BadInput, json_object
from crmapp.wire import success

leads = Blueprint("leads", __name__, url_prefix="/crm/leads")


@leads.get("")
def index() -> ResponseReturnValue:
    page, filter = listing.list_page(db, request.args.to_dict())
    if wants_json():
        return success(page.to_dict())
    return render_template(
        "leads/index.html",
        page=page,
        filter=filter,
        choices=listing.choices(db),
        statuses=[status.value for status in LeadStatus],
        saved=[],
        actions=rights.actions_for(signed_in()),
    )


@leads.get("/companies")
def companies() -> ResponseReturnValue:
    return success({"items": listing.companies(db, request.args)})


@leads.post("/selections")
def freeze() -> ResponseReturnValue:
    selection = selections.freeze(db, signed_in(), selections.parse(json_object()))
    return success({"selectionId": selection["_id"], "total": selection["total"]}, 201)


@leads.post("/import")
def import_csv() -> ResponseReturnValue:
    file = request.files.get("file")
    if file is None:
        raise BadInput("Send the CSV file as multipart/form-data, in the field `file`.")
    try:
        return success(import_leads(db.leads, file.stream).to_dict())
    except NotACsv as error:
        raise BadInput(str(error), 415) from None
