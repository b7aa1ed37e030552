"""Who is asking, and whether they may."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar, cast

from flask import Flask, Request, current_app, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, current_user
from flask_wtf.csrf import CSRFProtect
from werkzeug.exceptions import Forbidden, Unauthorized

from crmapp.accounts import presence, tokens, users
from crmapp.accounts.users import User
from crmapp.database import db
from crmapp.wire import failure

T = TypeVar("T")

# A change to a user reaches every process within this time.
REMEMBER_SECONDS = 1.0
REMEMBER_AT_MOST = 10_000

login_manager = LoginManager()
csrf = CSRFProtect()


def init_app(app: Flask) -> None:
    app.extensions["remembered"] = {}
    # Asked only by pages that show who is signed in, so that the others need no database.
    login_manager.init_app(app, add_context_processor=False)
    app.jinja_env.globals["current_user"] = current_user
    login_manager.login_view = "accounts.login"
    login_manager.login_message = None
    csrf.init_app(app)


@login_manager.user_loader
def user_of_session(session_id: str) -> User | None:
    """The user of a session cookie or bearer token; None where it was ended or the user may not sign in."""
    user_id, _, version = session_id.partition(".")
    user = _known(user_id)
    if user is None or str(user.session_version) != version or not user.is_active:
        return None
    return user


def _known(user_id: str) -> User | None:
    return _remember(f"user {user_id}", lambda: users.by_id(db, user_id))


@login_manager.request_loader
def user_of_bearer(asked: Request) -> User | None:
    token = _bearer(asked)
    session_id = _remember(f"token {token}", lambda: tokens.read_bearer(token)) if token else None
    return user_of_session(session_id) if session_id else None


def _remember(key: str, read: Callable[[], T | None]) -> T | None:
    """One reading a second serves all the requests in between."""
    remembered: dict[str, tuple[float, T]] = current_app.extensions["remembered"]
    now = time.monotonic()
    read_at, value = remembered.get(key, (0.0, None))
    if value is None or now - read_at > REMEMBER_SECONDS:
        if len(remembered) >= REMEMBER_AT_MOST:
            remembered.clear()
        value = read()
        if value is not None:
            remembered[key] = (now, value)
    return value


def _bearer(asked: Request) -> str | None:
    scheme, _, token = asked.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def signed_in() -> User:
    """The user of this request, which `back_office_only` has let through."""
    return cast(User, current_user._get_current_object())


def still_allowed(user: User) -> Callable[[], bool]:
    """A question for later, when there is no request any more: whether `user` may still be here."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]

    def ask() -> bool:
        with app.app_context():
            now = user_of_session(user.get_id())
            if now is None or not now.may_enter_back_office:
                return False
            presence.note_seen(db, now.key)
            return True

    return ask


def wants_json() -> bool:
    """Whether a program asks rather than a person."""
    if _bearer(request) or request.path.startswith("/api/") or request.is_json:
        return True
    accepted = request.accept_mimetypes
    return accepted["text/html"] < accepted["application/json"] or not accepted.accept_html


def check_csrf() -> None:
    """Every change that a browser asks for carries the token. A bearer token is none that a browser adds by itself,
    and the sign-in of programs begins no session. Outside of the forms that begin one, whoever has no session is
    told to sign in instead."""
    if request.method in ("GET", "HEAD", "OPTIONS") or request.routing_exception:
        return
    if _bearer(request) or request.endpoint == "accounts.api_login":
        return
    if request.blueprint in ("accounts", "invitations") or current_user.is_authenticated:
        csrf.protect()


def back_office_only() -> ResponseReturnValue | None:
    """A `before_request` for what only administrators reach."""
    user = signed_in()
    if not user.is_authenticated:
        if wants_json() or request.accept_mimetypes.best == "text/event-stream":
            return failure("Please sign in.", 401)
        if request.method != "GET":
            raise Unauthorized
        return redirect(url_for("accounts.login", next=request.full_path.rstrip("?")))
    if not user.may_enter_back_office:
        if wants_json():
            return failure("Your account may not do this. Ask an administrator.", 403)
        raise Forbidden
    presence.note_seen(db, user.key)
    return None
