"""From its id at the beginning to a line in the log and a measurement at the end: what happens with every request.

Each function that Flask calls around a request costs as much as what these do, so there is one before and one after.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from flask import Flask, Request, Response, g, request

from crmapp import request_id
from crmapp.metrics import requests

log = logging.getLogger(__name__)


def init_app(app: Flask) -> None:
    app.before_request(_begin)
    app.after_request(_answered)


def _begin() -> None:
    g.began_at = time.monotonic()
    request_id.take(request.headers.get(request_id.HEADER))


def _answered(response: Response) -> Response:
    response.headers[request_id.HEADER] = request_id.current()
    end = _ending(request._get_current_object(), response)  # type: ignore[attr-defined]
    if response.direct_passthrough:
        # A file of ours, which the server sends by itself, without a word at the end.
        end()
    else:
        response.call_on_close(end)
    return response


def _ending(asked: Request, response: Response) -> Callable[[], None]:
    """What is done when the answer has left and there is no request any more."""
    # Not the request itself, which would be kept for as long as a stream is open.
    began_at: float = g.began_at
    endpoint, method, status = asked.endpoint, asked.method, response.status_code
    fields: dict[str, Any] = {
        "method": method,
        "path": asked.path,
        "status": status,
        "ms": 0.0,
        "address": asked.remote_addr or "unknown",
        **_user(),
    }
    is_stream = response.mimetype == "text/event-stream"
    if is_stream:
        requests.stream_began()

    def end() -> None:
        seconds = time.monotonic() - began_at
        if is_stream:
            requests.stream_ended()
        else:
            requests.observe(endpoint, method, status, seconds)
        fields["ms"] = round(seconds * 1000, 1)
        log.info("request", extra={"fields": fields})
        request_id.forget()

    return end


def _user() -> dict[str, str]:
    """Who is signed in, where this request has asked for that: nobody is looked up only to be logged."""
    user: Any = g.get("_login_user")
    return {"userId": user.id} if user and user.is_authenticated else {}
