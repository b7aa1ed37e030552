"""The leads page, its JSON twin, and the import."""

from __future__ import annotations

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from crmapp.accounts.access import wants_json
from crmapp.database import db
from crmapp.leads import leads as desk
from crmapp.leads.csvfile import NotACsv
from crmapp.leads.importing import import_leads
from crmapp.requests import BadInput
from crmapp.wire import success

leads = Blueprint("leads", __name__, url_prefix="/crm/leads")


@leads.get("")
def index() -> ResponseReturnValue:
    page, filter = desk.list_page(db, request.args.to_dict())
    if wants_json():
        return success(
            {"items": page.items, "total": page.total, "page": page.page, "pages": page.pages}
        )
    return render_template(
        "leads/index.html",
        page=page,
        filter=filter,
        statuses=[status.value for status in desk.LeadStatus],
        sources=desk.sources(db),
        csv_import_url=url_for("leads.import_csv"),
    )


@leads.post("/import")
def import_csv() -> ResponseReturnValue:
    file = request.files.get("file")
    if file is None:
        raise BadInput("Send the CSV file as multipart/form-data, in the field `file`.")
    try:
        return success(import_leads(db.leads, file.stream).to_dict())
    except NotACsv as error:
        raise BadInput(str(error), 415) from None
