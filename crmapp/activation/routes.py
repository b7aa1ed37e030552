"""Preview, start, and the progress of an activation: by poll and by stream."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, request
from flask.typing import ResponseReturnValue

from crmapp.accounts.access import signed_in, still_allowed
from crmapp.accounts.users import User
from crmapp.activation import preview as previews
from crmapp.activation import selection
from crmapp.activation.start import start
from crmapp.database import Db, Document, current, db
from crmapp.jobs import jobs, progress
from crmapp.jobs.jobs import NotYours
from crmapp.jobs.runner import BELL
from crmapp.live.blueprint import live
from crmapp.live.coalesce import Coalescer
from crmapp.live.events import Event
from crmapp.mailqueue import queue
from crmapp.requests import json_object, text
from crmapp.wire import failure, success, to_json

activation = Blueprint("activation", __name__, url_prefix="/crm")

NO_SESSION = "No active activation session found"

_reads: Coalescer[Document | None] = Coalescer()


@activation.post("/leads/activate/preview")
def preview() -> ResponseReturnValue:
    return success(previews.preview(db, selection.parse(json_object())))


@activation.post("/leads/activate")
def activate() -> ResponseReturnValue:
    body = json_object()
    settings = current_app.config["SETTINGS"]
    job = start(
        db,
        signed_in(),
        selection.parse(body),
        text(body, "sessionId", most=100),
        settings.job_lease_seconds,
    )
    progress.refresh(db, job["_id"], queue.count_of_session, settings.progress_ttl_seconds)
    live.ring(BELL)
    return success({"sessionId": job["_id"], "total": job["counts"]["total"]}, 202)


@activation.get("/activation/progress/<session_id>")
def show_progress(session_id: str) -> ResponseReturnValue:
    found = _find(session_id)
    if found is None:
        return failure(NO_SESSION, 404)
    _require_own(found, signed_in())
    etag = f'"{found["rev"]}"'
    if request.headers.get("If-None-Match") == etag:
        response = Response(status=304)
    else:
        body = to_json({"success": True, "data": progress.public(found)})
        response = Response(body, mimetype="application/json")
    response.headers["ETag"] = etag
    response.headers["Cache-Control"] = "private, no-cache"
    return response


@activation.get("/activation/active")
def active() -> ResponseReturnValue:
    user = signed_in()
    sessions = progress.find_unfinished(db, user.key, user.sees_everything)
    return success({"items": [progress.public(session) for session in sessions]})


@activation.get("/activation/stream/<session_id>")
def stream(session_id: str) -> ResponseReturnValue:
    user = signed_in()
    found = _find(session_id)
    if found is None:
        return failure(NO_SESSION, 404)
    _require_own(found, user)
    if found["completed"] and request.headers.get("Last-Event-ID") == str(found["rev"]):
        return Response(status=204)
    database = current()

    def snapshot() -> list[Event]:
        newest = _read(database, session_id)
        return [progress.event(newest)] if newest else []

    room = progress.topic(found).name
    return live.stream_to_reader((room,), snapshot, still_allowed(user), until_final=True)


def _find(session_id: str) -> Document | None:
    return _read(current(), session_id)


def _read(database: Db, session_id: str) -> Document | None:
    """The progress as it is now. Readers who ask at the same moment share one read."""
    key = (database.name, session_id)
    return _reads.read(key, lambda: progress.find(database, session_id))


def _require_own(found: Document, user: User) -> None:
    if not jobs.may_see(found, user.key, user.sees_everything):
        raise NotYours
