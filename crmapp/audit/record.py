"""Writing the audit log. Every request that changed something leaves an entry without a word of its route's; nothing
here or elsewhere changes or removes one."""

from __future__ import annotations

import logging
from typing import Any

from flask import Flask, Response, g, request
from flask_login import current_user
from pymongo.errors import PyMongoError

from crmapp import request_id
from crmapp.audit.phrases import PHRASES
from crmapp.clock import now
from crmapp.database import Db, Document, current

log = logging.getLogger(__name__)

READS = ("GET", "HEAD", "OPTIONS")
# The parts of an address that say what was done rather than to what.
SAYS_WHAT = ("action", "name", "type")


def init_app(app: Flask) -> None:
    @app.after_request
    def note_request(response: Response) -> Response:
        phrase = PHRASES.get(request.endpoint or "")
        if phrase and (response.status_code < 400 or "refused" in _noted()):
            _note_request(phrase, response.status_code)
        return response


def note(target: str = "", **details: Any) -> None:
    """Add to the entry of this request what its address does not say: what it was done to, in words, and `details`.
    Never a password, a token or a link."""
    _noted().setdefault("details", {}).update(details)
    if target:
        _noted()["target"] = target


def done_by(user: Any) -> None:
    """The entry is `user`'s, who is not signed in by a session, or not any more."""
    _noted()["by"] = user


def refused(target: str, target_id: Any) -> None:
    """Somebody tried to sign in as the user `target`, and was refused."""
    _noted().update(refused=True, target=target, targetId=str(target_id))


def record(db: Db, what: str, by: Document | None, target: str = "", **details: Any) -> None:
    """An entry of what happened outside of requests: `what` is a key of PHRASES, `by` {id, name, role}."""
    db.audit.insert_one(_entry(what, PHRASES[what] or what, by, target, details))


def _noted() -> dict[str, Any]:
    if "audit" not in g:
        g.audit = {}
    return g.audit


def _note_request(phrase: str, status: int) -> None:
    noted = _noted()
    user = noted.get("by") or current_user
    by = None
    if not noted.get("refused"):
        if not user.is_authenticated:
            return
        by = {"id": user.key, "name": user.email, "role": user.role}
    # A part of an address that is a key (a link's token) is in no entry.
    parts = {k: v for k, v in (request.view_args or {}).items() if k != "token"}
    says = {name: parts.pop(name) for name in SAYS_WHAT if name in parts}
    entry = _entry(
        f"{request.endpoint}.refused" if noted.get("refused") else str(request.endpoint),
        "Was refused a sign-in" if noted.get("refused") else phrase,
        by,
        noted.get("target", ""),
        {**says, **noted.get("details", {})},
    )
    entry["targetId"] = noted.get("targetId") or next(iter(parts.values()), None)
    entry |= {"address": request.remote_addr or "unknown", "status": status}
    entry["requestId"] = request_id.current() or None
    _store(entry)


def _entry(
    what: str, text: str, by: Document | None, target: str, details: dict[str, Any]
) -> Document:
    return {
        "at": now(),
        "by": by,
        "what": what,
        "text": text,
        "target": target,
        "targetId": None,
        "details": details,
        "address": None,
        "status": None,
        "requestId": None,
    }


def _store(entry: Document) -> None:
    """What it tells of is done already, so that the log is the next best place where the database is away."""
    try:
        current().audit.insert_one(entry)
    except PyMongoError as error:
        log.error("not in the audit log: %s (%s)", entry, error)
