"""The description for programs that read such descriptions."""

from __future__ import annotations

from flask import Blueprint, Response, current_app
from flask.typing import ResponseReturnValue

from crmapp.openapi.describe import document
from crmapp.wire import to_json

openapi = Blueprint("openapi", __name__, url_prefix="/api")


@openapi.get("/openapi.json")
def show() -> ResponseReturnValue:
    text: str | None = current_app.extensions.get("openapi")
    if text is None:
        text = current_app.extensions["openapi"] = to_json(document(current_app))
    return Response(text, mimetype="application/json")
