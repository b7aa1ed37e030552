"""The pages of who has forgotten their password."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from crmapp.accounts import signin
from crmapp.accounts.access import address, wants_json
from crmapp.accounts.attempts import attempts
from crmapp.accounts.passwords import PasswordRefused
from crmapp.accounts.tokens import BadLink
from crmapp.database import current, db
from crmapp.forms import submitted
from crmapp.profile import reset
from crmapp.requests import BadInput, text
from crmapp.wire import success

forgotten = Blueprint("forgotten", __name__)

SENT = (
    "If somebody has an account with this address, an e-mail is on its way to it. Its link is good for an hour. "
    "Look among the spam too."
)


@forgotten.get("/forgot")
def index() -> ResponseReturnValue:
    return render_template("profile/forgot.html", email=request.args.get("email", ""))


@forgotten.post("/forgot")
def ask() -> ResponseReturnValue:
    email = text(submitted(("email",)), "email")
    try:
        account = reset.read_address(email)
        if attempts().begin_reset(account, address()):
            reset.ask(current(), account)
    except BadInput as error:
        if wants_json():
            raise
        page = render_template("profile/forgot.html", email=email, error=str(error))
        return page, error.status
    if wants_json():
        return success({"msg": SENT})
    return render_template("profile/forgot.html", sent=SENT)


@forgotten.get("/password/<token>")
def show(token: str) -> ResponseReturnValue:
    try:
        user, _ = reset.open_link(db, token)
    except BadLink as error:
        return _gone(error)
    return _private(render_template("profile/reset.html", user_email=user.email))


@forgotten.post("/password/<token>")
def replace(token: str) -> ResponseReturnValue:
    password, again = (request.form.get(name, "") for name in ("password", "password_again"))
    try:
        user = reset.replace(db, token, password, again)
    except BadLink as error:
        return _gone(error)
    except PasswordRefused as error:
        user, _ = reset.open_link(db, token)
        page = render_template("profile/reset.html", user_email=user.email, error=str(error))
        return _private(page, 422)
    signin.begin_session(user)
    flash(
        "Your password is replaced, and you are signed in. Everywhere else you were signed out, "
        "and your API tokens are revoked."
    )
    return redirect(signin.home())


def _gone(error: BadLink) -> ResponseReturnValue:
    return _private(render_template("profile/reset_gone.html", reason=error.fault.value), 410)


def _private(page: str, status: int = 200) -> Response:
    """The address of this page is a key: see the pages of invitations."""
    response = Response(page, status)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "strict-origin"
    return response
