"""Whether the process is alive, and whether the parts that it needs answer."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue
from pymongo.errors import PyMongoError
from redis.exceptions import RedisError

from crmapp.database import db
from crmapp.live.blueprint import live
from crmapp.wire import success

health = Blueprint("health", __name__)


@health.get("/healthz")
def alive() -> ResponseReturnValue:
    return success({"alive": True})


@health.get("/readyz")
def ready() -> ResponseReturnValue:
    """Without Redis pages poll, so that is said but is no reason to send nobody here."""
    mongodb = _mongodb_answers()
    return success({"mongodb": mongodb, "redis": _redis_answers()}, 200 if mongodb else 503)


def _mongodb_answers() -> bool:
    try:
        return bool(db.client.admin.command("hello").get("isWritablePrimary"))
    except PyMongoError:
        return False


def _redis_answers() -> bool:
    try:
        return bool(live.redis.ping())
    except RedisError:
        return False
