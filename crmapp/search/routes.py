"""The page of the search over everything, and its JSON twin."""

from __future__ import annotations

from dataclasses import asdict

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from crmapp.accounts.access import signed_in, wants_json
from crmapp.database import current
from crmapp.requests import text
from crmapp.search import everything
from crmapp.wire import success

search = Blueprint("search", __name__, url_prefix="/crm/search")


@search.get("")
def index() -> ResponseReturnValue:
    q = text(request.args, "q", most=200)
    sections = everything.find(current(), signed_in(), q) if q else []
    if wants_json():
        return success({"q": q, "sections": [asdict(section) for section in sections]})
    return render_template("search/index.html", q=q, sections=sections)
