"""Preview and start of what is done with many leads."""

from __future__ import annotations

from flask import Blueprint, abort
from flask.typing import ResponseReturnValue

from crmapp.accounts import rights
from crmapp.accounts.access import signed_in
from crmapp.audit import record as audit
from crmapp.bulk import actions
from crmapp.bulk.actions import Action
from crmapp.bulk.preview import preview as previewed
from crmapp.bulk.start import start as started
from crmapp.database import db
from crmapp.jobs import progress
from crmapp.jobs.runner import BELL
from crmapp.leads import selections
from crmapp.live.blueprint import live
from crmapp.requests import json_object
from crmapp.wire import success

bulk = Blueprint("bulk", __name__, url_prefix="/crm/leads/bulk")


@bulk.post("/<name>/preview")
def preview(name: str) -> ResponseReturnValue:
    action, body = _allowed(name), json_object()
    params = action.read(db, body)
    return success(previewed(db, signed_in(), action, params, selections.parse(body)))


@bulk.post("/<name>")
def start(name: str) -> ResponseReturnValue:
    action, body = _allowed(name), json_object()
    params = action.read(db, body)
    job = started(db, signed_in(), action, params, selections.parse(body))
    audit.note(job["_id"], leads=job["counts"]["total"], **params)
    progress.refresh(db, job["_id"])
    live.ring(BELL)
    told = {"jobId": job["_id"], "sessionId": job["_id"], "total": job["counts"]["total"]}
    return success(told, 202)


def _allowed(name: str) -> Action:
    action = actions.named(name)
    if action.name not in rights.actions_for(signed_in()):
        abort(403)
    return action
