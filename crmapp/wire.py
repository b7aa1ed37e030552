"""How documents look in JSON: ids as hex, times as ISO 8601 in UTC; and the two shapes of an answer."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from bson import ObjectId
from flask import Flask, Response, jsonify
from flask.json.provider import DefaultJSONProvider


def iso(time: datetime) -> str:
    """ISO 8601 in UTC, with milliseconds."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _encode(value: Any) -> Any:
    if isinstance(value, ObjectId):
        return str(value)
    if isinstance(value, datetime):
        return iso(value)
    raise TypeError(f"{type(value).__name__} has no form on the wire")


_to_json = json.JSONEncoder(default=_encode, separators=(",", ":"), ensure_ascii=False).encode


class WireJSON(DefaultJSONProvider):
    def dumps(self, obj: Any, **kwargs: Any) -> str:
        return _to_json(obj)

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """Raises ValueError, also for what is nested too deeply."""
        try:
            return super().loads(s, **kwargs)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error


def to_json(value: Any) -> str:
    """Compact JSON text of documents."""
    return _to_json(value)


def success(data: Any, status: int = 200) -> tuple[Response, int]:
    return jsonify({"success": True, "data": data}), status


def failure(message: str, status: int) -> tuple[Response, int]:
    """`message` is for the person: what was wrong and what to do."""
    return jsonify({"success": False, "msg": message}), status


def init_app(app: Flask) -> None:
    app.json = WireJSON(app)
