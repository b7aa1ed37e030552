"""The signed-in page's one stream: every topic that its user may see."""

from __future__ import annotations

from flask import Blueprint, current_app
from flask.typing import ResponseReturnValue

from crmapp.accounts.access import back_office_only, signed_in, user_of_session
from crmapp.database import db
from crmapp.jobs import progress
from crmapp.live.blueprint import live
from crmapp.live.events import Event
from crmapp.live.topics import EVERYTHING, QUEUE, user_room
from crmapp.mailqueue import status

streams = Blueprint("streams", __name__)
streams.before_request(back_office_only)


@streams.get("/stream")
def stream() -> ResponseReturnValue:
    user = signed_in()
    app = current_app._get_current_object()  # type: ignore[attr-defined]

    def snapshot() -> list[Event]:
        with app.app_context():
            sessions = progress.find_unfinished(db, user.key, user.sees_everything)
            return [*map(progress.event, sessions), *status.events(db)]

    def allowed() -> bool:
        with app.app_context():
            current = user_of_session(user.get_id())
        return current is not None and current.may_enter_back_office

    rooms = (EVERYTHING if user.sees_everything else user_room(user.id), QUEUE)
    return live.stream_to_reader(rooms, snapshot, allowed)
