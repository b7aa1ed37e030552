"""The pages of an invitation's link, a user's page, and sending an invitation again."""

from __future__ import annotations

from bson import ObjectId
from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from crmapp.accounts import passwords, signin
from crmapp.accounts.access import signed_in, wants_json
from crmapp.accounts.passwords import PasswordRefused
from crmapp.accounts.tokens import BadLink
from crmapp.database import db
from crmapp.invitations import links, people, resend
from crmapp.invitations.resend import RENEWABLE, Outcome, TooSoon
from crmapp.requests import json_object, text
from crmapp.wire import success

invitations = Blueprint("invitations", __name__)
users = Blueprint("users", __name__, url_prefix="/crm")

MESSAGES = {
    Outcome.QUEUED: "A new invitation is on its way.",
    Outcome.REQUEUED: "The invitation that had failed is tried again.",
    Outcome.ALREADY_WAITING: "An invitation is waiting in the queue already; nothing new was sent.",
}


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
        passwords.check_choice(password, request.form.get("password_again", ""))
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


@users.get("/users/<user_id>")
def show(user_id: str) -> ResponseReturnValue:
    found = people.find(db, _id(user_id))
    if found is None:
        raise NotFound("There is no such user.")
    return success(found) if wants_json() else render_template("users/show.html", **found)


@users.post("/users/<user_id>/invitation")
def reissue(user_id: str) -> ResponseReturnValue:
    outcome = resend.reissue(db, _id(user_id), signed_in().who)
    return success({"outcome": outcome, "msg": MESSAGES[outcome]})


@users.patch("/email-queue/failed/<mail_id>")
def correct_address(mail_id: str) -> ResponseReturnValue:
    email = text(json_object(), "email")
    address = resend.correct_address(db, _id(mail_id), email, signed_in().who)
    return success(
        {
            "email": address,
            "msg": f"A new invitation goes to {address}. The link in the old one no longer works.",
        }
    )


def _id(value: str) -> ObjectId:
    if not ObjectId.is_valid(value):
        raise NotFound
    return ObjectId(value)
