"""The pages of an invitation's link."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from crmapp.accounts import passwords, signin
from crmapp.accounts.passwords import PasswordRefused
from crmapp.accounts.tokens import BadLink
from crmapp.database import db
from crmapp.invitations import links, resend
from crmapp.invitations.resend import RENEWABLE, TooSoon

invitations = Blueprint("invitations", __name__)


@invitations.get("/invitation/<token>")
def invitation(token: str) -> ResponseReturnValue:
    try:
        user, _ = links.open_link(db, token)
    except BadLink as error:
        return _gone(error, token)
    return _private(
        render_template("accounts/invitation.html", user_name=user.name, user_email=user.email)
    )


@invitations.post("/invitation/<token>")
def accept(token: str) -> ResponseReturnValue:
    try:
        user, _ = links.open_link(db, token)
        password = request.form.get("password", "")
        again = request.form.get("password_again", "")
        passwords.check_choice(password, again, user.name, user.email)
        user = links.accept(db, token, password)
    except BadLink as error:
        return _gone(error, token)
    except PasswordRefused as error:
        page = render_template(
            "accounts/invitation.html", user_name=user.name, user_email=user.email, error=str(error)
        )
        return _private(page, 422)
    signin.begin_session(user)
    flash("Your password is set, and you are signed in.")
    return redirect(signin.home())


@invitations.post("/invitation/<token>/renew")
def renew(token: str) -> ResponseReturnValue:
    try:
        address = resend.renew(db, token)
    except BadLink as error:
        return _gone(error, token)
    except TooSoon:
        minutes = resend.RENEW_SECONDS // 60
        page = render_template("accounts/invitation_sent.html", address=None, minutes=minutes)
        return _private(page, 429)
    return _private(render_template("accounts/invitation_sent.html", address=address))


def _gone(error: BadLink, token: str) -> ResponseReturnValue:
    renewable = error.fault in RENEWABLE
    renew_url = url_for("invitations.renew", token=token) if renewable else None
    page = render_template(
        "accounts/invitation_gone.html", reason=error.fault.value, renew_url=renew_url
    )
    return _private(page, 410)


def _private(page: str, status: int = 200) -> ResponseReturnValue:
    """The address of this page is a key: no cache keeps it, and no request tells more of it than its origin,
    which the CSRF check wants to see over HTTPS."""
    response = Response(page, status)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "strict-origin"
    return response
