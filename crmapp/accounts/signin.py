"""Signing in: the check, how often it may be tried, and the session that it begins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask, Response, request, session
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import login_user

from crmapp.accounts import passwords, users
from crmapp.accounts.users import User
from crmapp.addresses import InvalidAddress, normalise
from crmapp.clock import now
from crmapp.database import Db

REFUSED = "That e-mail address and password do not go together."


class SignInRefused(Exception):
    """Its text is the same whoever asks, so that a stranger learns nothing of who has an account."""


def check(db: Db, email: str, password: str) -> User:
    """The user whose address and password these are, if they may sign in. Raises SignInRefused."""
    try:
        user = users.by_email(db, normalise(email))
    except InvalidAddress:
        user = None
    if not passwords.matches(user.password_hash if user else None, password):
        raise SignInRefused(REFUSED)
    assert user is not None
    if not user.is_active:
        raise SignInRefused(REFUSED)
    db.users.update_one({"_id": user.key}, {"$set": {"lastSeenAt": now()}})
    return user


def begin_session(user: User) -> None:
    """Sign this browser in. Nothing of an earlier session is carried over."""
    session.clear()
    session.permanent = True
    login_user(user)


def _account() -> str:
    """The account that is tried, as one spelling of it."""
    body: Any = request.get_json(silent=True) if request.is_json else request.form
    email = body.get("email") if hasattr(body, "get") else None
    return f"account:{str(email).strip().lower()[:254]}"


def _failed(response: Response) -> bool:
    return response.status_code >= 400


REDIS_OPTIONS: Any = {"socket_connect_timeout": 0.25, "socket_timeout": 0.25}

limiter = Limiter(
    get_remote_address,
    strategy="fixed-window",
    # With Redis away each process counts for itself, which is better than not at all.
    in_memory_fallback_enabled=True,
    storage_options=REDIS_OPTIONS,
)


def limited(view: Callable[..., Any]) -> Callable[..., Any]:
    """At most so many failed attempts, on the form and the API together, in all processes together."""
    per_account = limiter.shared_limit(
        "10 per minute", scope="sign-in", key_func=_account, deduct_when=_failed
    )
    per_address = limiter.shared_limit(
        "30 per minute", scope="sign-in", key_func=get_remote_address, deduct_when=_failed
    )
    return per_address(per_account(view))


def init_app(app: Flask) -> None:
    limiter.init_app(app)
