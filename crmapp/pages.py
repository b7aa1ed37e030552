"""The front door."""

from __future__ import annotations

from flask import Blueprint, redirect, url_for
from flask.typing import ResponseReturnValue

pages = Blueprint("pages", __name__)


@pages.get("/")
def home() -> ResponseReturnValue:
    return redirect(url_for("dashboard.index"))
