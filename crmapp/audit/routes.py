"""The audit log's page, its JSON twin and its export."""

from __future__ import annotations

from flask import Blueprint, Response, render_template, request, stream_with_context
from flask.typing import ResponseReturnValue

from crmapp.accounts.access import wants_json
from crmapp.audit import listing
from crmapp.database import current
from crmapp.wire import success

audit = Blueprint("audit", __name__, url_prefix="/crm/audit")


@audit.get("")
def index() -> ResponseReturnValue:
    db = current()
    page, filter = listing.list_page(db, request.args.to_dict())
    if wants_json():
        return success(page.to_dict())
    return render_template(
        "audit/index.html",
        page=page,
        filter=filter,
        labels={"person": listing.people(db), "what": listing.deeds()},
    )


@audit.get("/export.csv")
def export_csv() -> ResponseReturnValue:
    pieces = listing.export(current(), request.args.to_dict())
    response = Response(stream_with_context(pieces), mimetype="text/csv")
    response.headers.set("Content-Disposition", "attachment", filename="audit-log.csv")
    return response
