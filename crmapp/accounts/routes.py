"""Signing in and out, and the page on which an invited user chooses a password."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user, login_required, logout_user

from crmapp.accounts import invitations, passwords, signin
from crmapp.accounts.passwords import PasswordRefused
from crmapp.accounts.signin import SignInRefused
from crmapp.accounts.tokens import BadLink, issue_bearer
from crmapp.database import db
from crmapp.requests import exact_text, json_object, text
from crmapp.wire import failure, success

accounts = Blueprint("accounts", __name__)


@accounts.get("/login")
def login() -> ResponseReturnValue:
    if current_user.is_authenticated:
        return redirect(_home())
    return render_template("accounts/login.html", email="", next=request.args.get("next", ""))


@accounts.post("/login")
def login_submit() -> ResponseReturnValue:
    email, target = text(request.form, "email"), text(request.form, "next", most=2000)
    try:
        user = signin.check(db, email, exact_text(request.form, "password"), _address())
    except SignInRefused as error:
        page = render_template("accounts/login.html", email=email, next=target, error=str(error))
        return page, 401
    signin.begin_session(user)
    return redirect(_safe(target) or _home())


@accounts.post("/logout")
@login_required
def logout() -> ResponseReturnValue:
    logout_user()
    return redirect(url_for("accounts.login"))


@accounts.post("/api/login")
def api_login() -> ResponseReturnValue:
    body = json_object()
    try:
        user = signin.check(db, text(body, "email"), exact_text(body, "password"), _address())
    except SignInRefused as error:
        return failure(str(error), 401)
    return success({"token": issue_bearer(user.get_id()), "user": user.public()})


@accounts.get("/invitation/<token>")
def invitation(token: str) -> ResponseReturnValue:
    try:
        user, _ = invitations.open_link(db, token)
    except BadLink as error:
        return _gone(error)
    return _private(
        render_template("accounts/invitation.html", user_name=user.name, user_email=user.email)
    )


@accounts.post("/invitation/<token>")
def accept_invitation(token: str) -> ResponseReturnValue:
    try:
        user, _ = invitations.open_link(db, token)
        password = request.form.get("password", "")
        passwords.check_choice(password, request.form.get("password_again", ""))
        user = invitations.accept(db, token, password)
    except BadLink as error:
        return _gone(error)
    except PasswordRefused as error:
        page = render_template(
            "accounts/invitation.html", user_name=user.name, user_email=user.email, error=str(error)
        )
        return _private(page, 422)
    signin.begin_session(user)
    flash("Your password is set, and you are signed in.")
    return redirect(_home())


@accounts.get("/welcome")
@login_required
def welcome() -> ResponseReturnValue:
    return render_template("accounts/welcome.html")


def _gone(error: BadLink) -> ResponseReturnValue:
    return _private(render_template("accounts/invitation_gone.html", reason=error.fault.value), 410)


def _private(page: str, status: int = 200) -> ResponseReturnValue:
    """The address of this page is a key: no cache keeps it, and no request tells more of it than its origin,
    which the CSRF check wants to see over HTTPS."""
    response = Response(page, status)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "strict-origin"
    return response


def _address() -> str:
    return request.remote_addr or "unknown"


def _home() -> str:
    """Where this user's work begins."""
    return url_for("leads.index" if current_user.may_enter_back_office else "accounts.welcome")


def _safe(target: str) -> str | None:
    """Only a path of this site: a sign-in page that sends people elsewhere is a phisher's tool."""
    try:
        parts = urlsplit(target)
    except ValueError:
        return None
    local = target.startswith("/") and not target.startswith(("//", "/\\"))
    return target if local and not parts.scheme and not parts.netloc else None
