"""The page that Prometheus reads."""

from __future__ import annotations

import hmac

from flask import Blueprint, Response, abort, current_app, request
from flask.typing import ResponseReturnValue
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from config import Settings
from crmapp.database import current
from crmapp.metrics import requests
from crmapp.metrics.stored import Stored
from crmapp.wire import failure

metrics = Blueprint("metrics", __name__)


@metrics.get("/metrics")
def show() -> ResponseReturnValue:
    settings: Settings = current_app.config["SETTINGS"]
    if settings.metrics_token is None:
        abort(404)
    if not _is_given(settings.metrics_token):
        answer, status = failure("Send METRICS_TOKEN as `Authorization: Bearer`.", 401)
        answer.headers["WWW-Authenticate"] = "Bearer"
        return answer, status
    text = generate_latest(requests.collector()) + generate_latest(Stored(current()))
    return Response(text, content_type=CONTENT_TYPE_PLAIN_0_0_4)


def _is_given(token: str) -> bool:
    given = request.headers.get("Authorization", "").encode()
    return hmac.compare_digest(given, f"Bearer {token}".encode())
