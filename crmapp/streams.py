"""The signed-in page's one stream: every topic that its user may see."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue

from crmapp.accounts.access import back_office_only, signed_in, still_allowed
from crmapp.alerts import alerts
from crmapp.database import current
from crmapp.jobs import progress
from crmapp.live.blueprint import live
from crmapp.live.coalesce import Coalescer
from crmapp.live.events import Event
from crmapp.live.topics import ALERTS, EVERYTHING, HEALTH, QUEUE, logins_room, user_room
from crmapp.mailqueue import health, status

_snapshots: Coalescer[list[Event]] = Coalescer()

streams = Blueprint("streams", __name__)
streams.before_request(back_office_only)


@streams.get("/stream")
def stream() -> ResponseReturnValue:
    user = signed_in()
    database = current()

    room = EVERYTHING if user.sees_everything else user_room(user.id)

    rooms: tuple[str, ...] = (room, logins_room(user.id))
    if user.may_enter_back_office:
        rooms += (QUEUE, HEALTH, ALERTS.name)

    def read() -> list[Event]:
        sessions = progress.find_current(database, user.key, user.sees_everything)
        events = [progress.event(session) for session in sessions]
        if user.may_enter_back_office:
            events += [*status.events(database), health.event(database), *alerts.events(database)]
        return events

    def snapshot() -> list[Event]:
        return _snapshots.read((database.name, room), read)

    return live.stream_to_reader(rooms, snapshot, still_allowed(user))
