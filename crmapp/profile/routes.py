"""One's own account: its page, and its JSON twin."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from crmapp.accounts import api_tokens, sessions, signin
from crmapp.accounts.access import address, read_anew, signed_in, signed_in_only, wants_json
from crmapp.accounts.attempts import attempts
from crmapp.accounts.users import User
from crmapp.audit import record as audit
from crmapp.database import db
from crmapp.forms import BadFields, needed, read_each, submitted
from crmapp.profile import account
from crmapp.requests import BadInput, exact_text, number, text
from crmapp.wire import success

profile = Blueprint("profile", __name__, url_prefix="/profile")
profile.before_request(signed_in_only)
profile.before_request(read_anew)


@profile.before_request
def _not_by_api_tokens() -> None:
    """Who has found a token could otherwise make others, or take the account over."""
    if signed_in().login.startswith(api_tokens.PREFIX):
        raise BadInput(
            "An API token does not reach the account itself: sign in with the password.", 403
        )


@profile.get("")
def show() -> ResponseReturnValue:
    if wants_json():
        return success(account.overview(db, signed_in()))
    return _page()


@profile.post("")
@profile.patch("")
def rename() -> ResponseReturnValue:
    values = submitted(("name",))
    try:
        name = read_each({"name": lambda: _needed(values, "name", account.LONGEST_NAME)})["name"]
    except BadFields as error:
        return _refused(error, values)
    account.rename(db, signed_in(), name)
    return _done("Your name is saved.")


@profile.post("/password")
def change_password() -> ResponseReturnValue:
    names = ("password", "newPassword", "newPasswordAgain")
    values = submitted(names)
    typed = [exact_text(values, name) for name in names]
    attempts().begin(signed_in().email, address())
    try:
        user = account.change_password(db, signed_in(), *typed)
    except BadFields as error:
        return _refused(error, {})
    attempts().succeeded(user.email)
    return _signed_in_anew(user, "Your password is changed. Everywhere else you were signed out.")


@profile.delete("/sessions/<session_id>")
@profile.post("/sessions/<session_id>/end")
def end_session(session_id: str) -> ResponseReturnValue:
    if not sessions.end(db, signed_in().key, session_id):
        raise BadInput("This session has ended already.", 404)
    return _done("That session is ended.")


@profile.post("/sessions/end-others")
def end_other_sessions() -> ResponseReturnValue:
    user = signed_in()
    sessions.end_others(db, user.key, sessions.id_of(user.login))
    return _done("You are signed out everywhere else.")


@profile.post("/tokens")
def add_token() -> ResponseReturnValue:
    values = submitted(("name", "days"))
    try:
        read = read_each(
            {
                "tokenName": lambda: _needed(values, "name", 100),
                "days": lambda: number(values, "days", 90, api_tokens.MOST_DAYS),
            }
        )
    except BadFields as error:
        return _refused(error, {"tokenName": values.get("name"), "days": values.get("days")})
    made, shown = account.add_token(db, signed_in(), read["tokenName"], read["days"])
    audit.note(shown["name"], days=read["days"])
    if wants_json():
        return success({"token": made, **shown}, 201)
    return _page(made=made), 201


@profile.delete("/tokens/<token_id>")
@profile.post("/tokens/<token_id>/revoke")
def revoke_token(token_id: str) -> ResponseReturnValue:
    name = account.revoke_token(db, signed_in(), token_id)
    audit.note(name)
    return _done(f"The token “{name}” is revoked.")


def _needed(values: dict[str, Any], name: str, most: int) -> str:
    return needed(" ".join(text(values, name, most).split()), "Give it a name.")


def _signed_in_anew(user: User, msg: str) -> ResponseReturnValue:
    """What ended every session begins another for who asked: the browser's cookie, or a program's next token."""
    if request.authorization:
        return success({"msg": msg, "token": signin.begin_program(user)})
    signin.begin_session(user)
    return _done(msg)


def _done(msg: str) -> ResponseReturnValue:
    if wants_json():
        return success({"msg": msg})
    flash(msg)
    return redirect(url_for("profile.show"))


def _refused(error: BadFields, typed: dict[str, Any]) -> ResponseReturnValue:
    if wants_json():
        raise error
    return _page(error, typed), error.status


def _page(
    error: BadFields | None = None, typed: dict[str, Any] | None = None, made: str = ""
) -> str:
    user = signed_in()
    return render_template(
        "profile/show.html",
        **account.overview(db, user),
        typed={"name": user.name, "days": 90, **(typed or {})},
        errors=error.errors if error else {},
        made=made,
        most_days=api_tokens.MOST_DAYS,
    )
