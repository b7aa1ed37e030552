"""The state of the e-mail queue."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue

from crmapp.database import db
from crmapp.mailqueue import status
from crmapp.wire import success

email_queue = Blueprint("email_queue", __name__, url_prefix="/crm/email-queue")


@email_queue.get("/status")
def show_status() -> ResponseReturnValue:
    return success(status.current(db))
