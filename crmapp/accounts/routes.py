"""Signing in and out."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user, login_required

from crmapp.accounts import signin
from crmapp.accounts.access import address
from crmapp.accounts.signin import SignInRefused, home
from crmapp.database import db
from crmapp.requests import exact_text, json_object, text
from crmapp.wire import failure, success

accounts = Blueprint("accounts", __name__)


@accounts.get("/login")
def login() -> ResponseReturnValue:
    if current_user.is_authenticated:
        return redirect(home())
    return render_template("accounts/login.html", email="", next=request.args.get("next", ""))


@accounts.post("/login")
def login_submit() -> ResponseReturnValue:
    email, target = text(request.form, "email"), text(request.form, "next", most=2000)
    try:
        user = signin.check(db, email, exact_text(request.form, "password"), address())
    except SignInRefused as error:
        page = render_template("accounts/login.html", email=email, next=target, error=str(error))
        return page, 401
    signin.begin_session(user)
    return redirect(_safe(target) or home())


@accounts.post("/logout")
@login_required
def logout() -> ResponseReturnValue:
    signin.end_session()
    return redirect(url_for("accounts.login"))


@accounts.post("/api/login")
def api_login() -> ResponseReturnValue:
    body = json_object()
    try:
        user = signin.check(db, text(body, "email"), exact_text(body, "password"), address())
    except SignInRefused as error:
        return failure(str(error), 401)
    return success({"token": signin.begin_program(user), "user": user.public()})


@accounts.get("/welcome")
@login_required
def welcome() -> ResponseReturnValue:
    return render_template("accounts/welcome.html")


def _safe(target: str) -> str | None:
    """Only a path of this site: a sign-in page that sends people elsewhere is a phisher's tool."""
    try:
        parts = urlsplit(target)
    except ValueError:
        return None
    local = target.startswith("/") and not target.startswith(("//", "/\\"))
    return target if local and not parts.scheme and not parts.netloc else None
