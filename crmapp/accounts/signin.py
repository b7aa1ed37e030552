"""Signing in: the check, and the session that it begins."""

from __future__ import annotations

from flask import request, session, url_for
from flask_login import current_user, login_user, logout_user

from crmapp.accounts import passwords, sessions, tokens, users
from crmapp.accounts.attempts import attempts
from crmapp.accounts.sessions import Kind
from crmapp.accounts.users import User
from crmapp.addresses import InvalidAddress, normalise
from crmapp.audit import record as audit
from crmapp.clock import now
from crmapp.database import Db, db

REFUSED = "That e-mail address and password do not go together."


class SignInRefused(Exception):
    """Its text is the same whoever asks, so that a stranger learns nothing of who has an account."""


def check(db: Db, email: str, password: str, address: str) -> User:
    """The user whose `email` and `password` these are, if they may sign in; `address` is the asking computer's.

    Raises SignInRefused, and TooManyRequests where it was tried too often.
    """
    try:
        account = normalise(email)
    except InvalidAddress:
        account = email.strip().lower()
    attempts().begin(account, address)
    user, known = _match(db, account, password)
    if user is None:
        attempts().failed(address)
        if known:
            audit.refused(known.email, known.key)
        raise SignInRefused(REFUSED)
    attempts().succeeded(account)
    db.users.update_one({"_id": user.key}, {"$set": {"lastSeenAt": now()}})
    return user


def _match(db: Db, email: str, password: str) -> tuple[User | None, User | None]:
    """Who may sign in with these, and whose the address is."""
    known = users.by_email(db, email)
    matches = passwords.matches(known.password_hash if known else None, password)
    return (known if known and matches and known.is_active else None), known


def begin_session(user: User) -> None:
    """Sign this browser in. Nothing of an earlier session is carried over."""
    session.clear()
    session.permanent = True
    login_user(user.let_in_by(_note_session(user, Kind.BROWSER)))


def begin_program(user: User) -> str:
    """Sign the program in that asks; returns its bearer token."""
    audit.done_by(user)
    return tokens.issue_bearer(_note_session(user, Kind.PROGRAM))


def _note_session(user: User, kind: Kind) -> str:
    return sessions.begin(
        db, user, kind, request.remote_addr or "unknown", request.user_agent.string
    )


def end_session() -> None:
    """Sign this browser out."""
    audit.done_by(current_user._get_current_object())
    sessions.end(db, current_user.key, sessions.id_of(current_user.login))
    logout_user()


def home() -> str:
    """The page on which the work of who is signed in begins."""
    return url_for("dashboard.index" if current_user.may_enter else "accounts.welcome")
