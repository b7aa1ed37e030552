"""The list of leads, its JSON twin, and what its page asks for."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from crmapp.accounts import rights
from crmapp.accounts.access import signed_in, wants_json
from crmapp.database import db
from crmapp.leads import fields, listing, saved, selections
from crmapp.leads.leads import LeadStatus
from crmapp.requests import json_object
from crmapp.wire import success

leads = Blueprint("leads", __name__, url_prefix="/crm/leads")


@leads.get("")
def index() -> ResponseReturnValue:
    page, filter = listing.list_page(db, signed_in(), request.args.to_dict())
    if wants_json():
        return success(page.to_dict())
    return render_template(
        "leads/index.html",
        page=page,
        filter=filter,
        choices=listing.choices(db, signed_in()),
        statuses=[status.value for status in LeadStatus],
        stages=fields.STAGES,
        page_sizes=listing.PAGE_SIZES,
        saved=saved.of(db, signed_in()),
        actions=rights.actions_for(signed_in()),
    )


@leads.get("/companies")
def companies() -> ResponseReturnValue:
    return success({"items": listing.companies(db, signed_in(), request.args)})


@leads.post("/selections")
def freeze() -> ResponseReturnValue:
    selection = selections.freeze(db, signed_in(), selections.parse(json_object()))
    return success({"selectionId": selection["_id"], "total": selection["total"]}, 201)
