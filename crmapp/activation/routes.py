"""Preview, start, and the progress of an activation: by poll and by stream."""

from __future__ import annotations

from functools import cached_property

from flask import Blueprint, Response, current_app, request
from flask.typing import ResponseReturnValue

from crmapp.accounts.access import signed_in, still_allowed
from crmapp.accounts.users import User
from crmapp.activation import preview as previews
from crmapp.activation.start import TYPE, start
from crmapp.audit import record as audit
from crmapp.database import Db, Document, current, db
from crmapp.jobs import jobs, progress
from crmapp.jobs.jobs import NotYours
from crmapp.jobs.runner import BELL
from crmapp.leads import selections
from crmapp.live.blueprint import live
from crmapp.live.coalesce import Coalescer
from crmapp.live.events import Event
from crmapp.live.topics import logins_room
from crmapp.requests import json_object, text
from crmapp.wire import failure, success, to_json

activation = Blueprint("activation", __name__, url_prefix="/crm")

NO_SESSION = "No active activation session found"


@activation.post("/leads/activate/preview")
def preview() -> ResponseReturnValue:
    return success(previews.preview(db, signed_in(), selections.parse(json_object())))


@activation.post("/leads/activate")
def activate() -> ResponseReturnValue:
    body = json_object()
    settings = current_app.config["SETTINGS"]
    job = start(
        db,
        signed_in(),
        selections.parse(body),
        text(body, "sessionId", most=100),
        settings.job_lease_seconds,
        settings.undo_seconds,
    )
    audit.note(job["_id"], leads=job["counts"]["total"])
    progress.refresh(db, job["_id"])
    live.ring(BELL)
    return success({"sessionId": job["_id"], "total": job["counts"]["total"]}, 202)


@activation.get("/activation/progress/<session_id>")
def show_progress(session_id: str) -> ResponseReturnValue:
    found = _find(session_id)
    if found is None:
        return failure(NO_SESSION, 404)
    _require_own(found.progress, signed_in())
    etag = f'"{found.progress["rev"]}"'
    # As a part of the text, because proxies mark it as weak and browsers may send several.
    if etag in request.headers.get("If-None-Match", ""):
        response = Response(status=304)
    else:
        response = Response(found.answer, mimetype="application/json")
    response.headers["ETag"] = etag
    response.headers["Cache-Control"] = "private, no-cache"
    return response


@activation.get("/activation/active")
def active() -> ResponseReturnValue:
    user = signed_in()
    sessions = progress.find_unfinished(db, user.key, user.sees_everything)
    mine = [session for session in sessions if session["type"] == TYPE]
    return success({"items": [progress.public(session) for session in mine]})


@activation.get("/activation/stream/<session_id>")
def stream(session_id: str) -> ResponseReturnValue:
    user = signed_in()
    found = _find(session_id)
    if found is None:
        return failure(NO_SESSION, 404)
    _require_own(found.progress, user)
    rev, completed = found.progress["rev"], found.progress["completed"]
    if completed and request.headers.get("Last-Event-ID") == str(rev):
        return Response(status=204)
    database = current()

    def snapshot() -> list[Event]:
        newest = _read(database, session_id)
        return [newest.event] if newest else []

    room = progress.topic(found.progress).name
    rooms = (room, logins_room(user.id))
    return live.stream_to_reader(rooms, snapshot, still_allowed(user), until_final=True)


class _Reading:
    """One reading of a session's progress, and what is told of it: worked out once for all who share the reading."""

    def __init__(self, progress: Document) -> None:
        self.progress = progress

    @cached_property
    def answer(self) -> bytes:
        return to_json({"success": True, "data": progress.public(self.progress)}).encode()

    @cached_property
    def event(self) -> Event:
        return progress.event(self.progress)


_readings: Coalescer[_Reading | None] = Coalescer()


def _find(session_id: str) -> _Reading | None:
    return _read(current(), session_id)


def _read(database: Db, session_id: str) -> _Reading | None:
    """The progress as it is now. Whoever asks at the same moment shares the reading."""

    def read() -> _Reading | None:
        found = progress.find(database, session_id)
        return _Reading(found) if found else None

    return _readings.read((database.name, session_id), read)


def _require_own(found: Document, user: User) -> None:
    if not jobs.may_see(found, user.key, user.sees_everything):
        raise NotYours
