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

from crmapp.accounts import api_tokens, logins, presence, rights, tokens
from crmapp.accounts.users import User
from crmapp.database import Db, current, db
from crmapp.live.coalesce import Coalescer
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
    app.jinja_env.globals["may_reach"] = lambda endpoint: rights.may_reach(signed_in(), endpoint)
    login_manager.login_view = "accounts.login"
    login_manager.login_message = None
    csrf.init_app(app)


@login_manager.user_loader
def user_of_login(login: str) -> User | None:
    """Who is let in by `login`, the text in a session's cookie; None where it has ended or the user may not sign in."""
    return _remember(f"login {login}", lambda: logins.user_of(db, login))


@login_manager.request_loader
def user_of_bearer(asked: Request) -> User | None:
    token = _bearer(asked)
    login = _remember(f"token {token}", lambda: _login_of(token)) if token else None
    return user_of_login(login) if login else None


def _login_of(token: str) -> str | None:
    if token.startswith(api_tokens.PREFIX):
        return api_tokens.login_of(db, token)
    return tokens.read_bearer(token)


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
    """The user of this request, which `back_office_only` or `signed_in_only` has let through."""
    return cast(User, current_user._get_current_object())


def read_anew() -> None:
    """Make the user of this request who they are now, not who they were up to REMEMBER_SECONDS ago: for the pages on
    which they change themselves."""
    user = logins.user_of(db, signed_in().login)
    if user is not None:
        login_manager._update_request_context_with_user(user)


def address() -> str:
    """The computer that asks."""
    return request.remote_addr or "unknown"


_asked_again: Coalescer[User | None] = Coalescer()


def still_allowed(user: User) -> Callable[[], bool]:
    """A question for later, when there is no request any more: whether `user` may still be here. Not answered from
    memory, because it is asked the moment that something changes."""
    database, endpoint, asking = current(), request.endpoint or "", address()
    app = current_app._get_current_object()  # type: ignore[attr-defined]

    def ask() -> bool:
        with app.app_context():
            now = _asked_again.read(
                (database.name, user.login), lambda: logins.user_of(database, user.login)
            )
            if now is None or now.role != user.role or not rights.may_reach(now, endpoint):
                return False
            _note_seen(database, now, asking)
            return True

    return ask


def _note_seen(database: Db, user: User, asking: str) -> None:
    """Costs a write or two once in a while."""
    if presence.note_seen(database, user.key, user.login):
        logins.note_seen(database, user.login, asking)


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
    if (
        request.blueprint in ("accounts", "invitations", "forgotten")
        or current_user.is_authenticated
    ):
        csrf.protect()


def back_office_only() -> ResponseReturnValue | None:
    """A `before_request` for what only those who work here reach, each as far as `rights` say."""
    refused = signed_in_only()
    if refused is not None or rights.may_reach(signed_in(), request.endpoint or ""):
        return refused
    if wants_json():
        return failure("Your account may not do this. Ask an administrator.", 403)
    raise Forbidden


def signed_in_only() -> ResponseReturnValue | None:
    """A `before_request` for what everybody who is signed in reaches."""
    user = signed_in()
    if user.is_authenticated:
        _note_seen(current(), user, address())
        return None
    if wants_json() or request.accept_mimetypes.best == "text/event-stream":
        return failure("Please sign in.", 401)
    if request.method != "GET":
        raise Unauthorized
    return redirect(url_for("accounts.login", next=request.full_path.rstrip("?")))
