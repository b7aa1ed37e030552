"""What lets a user in: a session that they began, or an API token that they made."""

from __future__ import annotations

from crmapp.accounts import api_tokens, sessions, users
from crmapp.accounts.users import User
from crmapp.database import Db


def user_of(db: Db, login: str) -> User | None:
    """Who is let in by `login`; None where it has ended or the user may not sign in."""
    read = _by_token if login.startswith(api_tokens.PREFIX) else _by_session
    user = read(db, login)
    return user.let_in_by(login) if user and user.is_active else None


def _by_token(db: Db, login: str) -> User | None:
    token = api_tokens.find(db, login)
    return users.by_id(db, str(token["userId"])) if token else None


def _by_session(db: Db, login: str) -> User | None:
    session = sessions.find(db, sessions.id_of(login))
    if session is None or not login.startswith(f"{session['userId']}.{session['version']}."):
        return None
    user = users.by_id(db, str(session["userId"]))
    return user if user and user.session_version == session["version"] else None


def note_seen(db: Db, login: str, address: str) -> None:
    """That `login` was used from the computer `address`."""
    if login.startswith(api_tokens.PREFIX):
        api_tokens.note_used(db, login, address)
    else:
        sessions.note_seen(db, sessions.id_of(login))
