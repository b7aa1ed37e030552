"""The alerts for a page whose stream is broken, and for programs."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue

from crmapp.alerts import alerts as stored
from crmapp.database import db
from crmapp.wire import success

alerts = Blueprint("alerts", __name__)


@alerts.get("/crm/alerts")
def show() -> ResponseReturnValue:
    return success(stored.current(db))
