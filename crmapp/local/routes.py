"""Pages that show what the embedded mail catcher kept."""

from __future__ import annotations

from flask import Blueprint, abort, current_app, render_template, request

from crmapp.local import caught

local = Blueprint("local", __name__, url_prefix="/local")


@local.get("/mail")
def mail() -> str:
    q = request.args.get("q", "").strip()
    messages = caught.messages(current_app.config["SETTINGS"].data_dir, q=q)
    return render_template("local/mail.html", messages=messages, q=q)


@local.get("/mail/<key>")
def message(key: str) -> str:
    try:
        found = caught.message(current_app.config["SETTINGS"].data_dir, key)
    except KeyError:
        abort(404, "There is no such mail.")
    return render_template("local/message.html", message=found)
