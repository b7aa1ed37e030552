"""The goals' pages, and their JSON twins."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from crmapp.accounts import staff
from crmapp.accounts.access import signed_in, wants_json
from crmapp.audit import record as audit
from crmapp.clock import now
from crmapp.database import Document, db
from crmapp.forms import BadFields, submitted
from crmapp.goals import fields
from crmapp.goals import goals as desk
from crmapp.goals.filters import KEYS, State
from crmapp.paging import kept_query
from crmapp.versions import Changed
from crmapp.wire import iso, success

goals = Blueprint("goals", __name__, url_prefix="/crm/goals")

USUAL_DAYS = 90


@goals.get("")
def index() -> ResponseReturnValue:
    page, filter = desk.list_page(db, signed_in(), request.args.to_dict())
    if wants_json():
        return success(page.to_dict())
    people = staff.known_to(db, signed_in())
    return render_template(
        "goals/index.html",
        page=page,
        number_text=desk.number_text,
        day_text=desk.day_text,
        filter=filter,
        states=list(State),
        labels={"person": staff.names(people)},
        kept=kept_query(KEYS),
    )


@goals.get("/new")
def new() -> ResponseReturnValue:
    today = now().date()
    last = today + timedelta(days=USUAL_DAYS)
    person = request.args.get("person") or signed_in().id
    period = {"from": today.isoformat(), "to": last.isoformat()}
    return _form({"userId": person, "progress": 0, **period})


@goals.post("")
def add() -> ResponseReturnValue:
    values = submitted(fields.FIELDS)
    try:
        goal = desk.add(db, values, signed_in())
    except BadFields as error:
        return _refused(error, values)
    return _saved(goal, "is set", 201)


@goals.get("/<goal_id>")
def show(goal_id: str) -> ResponseReturnValue:
    goal = _find(goal_id)
    return success(goal) if wants_json() else _form(desk.as_typed(goal), goal)


@goals.patch("/<goal_id>")
@goals.post("/<goal_id>")
def change(goal_id: str) -> ResponseReturnValue:
    values, goal = submitted(fields.FIELDS), _find(goal_id)
    try:
        changed = desk.change(db, signed_in(), goal, values)
    except (BadFields, Changed) as error:
        return _refused(error, values, goal)
    return _saved(changed, "is saved")


@goals.delete("/<goal_id>")
@goals.post("/<goal_id>/delete")
def remove(goal_id: str) -> ResponseReturnValue:
    goal = _find(goal_id)
    desk.remove(db, goal)
    return _saved(goal, "is deleted")


def _find(goal_id: str) -> Document:
    goal = desk.find(db, signed_in(), goal_id)
    if goal is None:
        raise NotFound("There is no such goal any more.")
    return goal


def _saved(goal: Document, what: str, status: int = 200) -> ResponseReturnValue:
    audit.note(str(goal["title"]), id=str(goal["id"]))
    if wants_json():
        return success(goal, status)
    flash(f"The goal “{goal['title']}” {what}.")
    return redirect(url_for("goals.index", **kept_query(KEYS)))


def _refused(
    error: BadFields | Changed, values: dict[str, Any], goal: Document | None = None
) -> ResponseReturnValue:
    if wants_json():
        raise error
    if goal and isinstance(error, Changed):
        # Whoever has read what it says saves over what is there now.
        values["updatedAt"] = iso(_find(str(goal["id"]))["updatedAt"])
    return _form(values, goal, error), error.status


def _form(
    typed: dict[str, Any],
    goal: Document | None = None,
    error: BadFields | Changed | None = None,
) -> str:
    """The page of one goal, or of a new one, with what was typed."""
    return render_template(
        "goals/form.html",
        typed=typed,
        goal=goal,
        errors=getattr(error, "errors", {}),
        changed=error if isinstance(error, Changed) else None,
        people=staff.names(staff.known_to(db, signed_in())),
        fields=fields,
        kept=kept_query(KEYS),
    )
