"""The dashboard and its JSON twin."""

from __future__ import annotations

from functools import partial

from flask import Blueprint, current_app, render_template
from flask.typing import ResponseReturnValue

from crmapp.accounts import rights
from crmapp.accounts.access import signed_in, wants_json
from crmapp.dashboard import figures, next_steps
from crmapp.dashboard.memory import Memory
from crmapp.database import Document, current
from crmapp.jobs import progress
from crmapp.mailqueue import health, rows, status
from crmapp.wire import success

dashboard = Blueprint("dashboard", __name__, url_prefix="/crm")


@dashboard.get("")
def index() -> ResponseReturnValue:
    db, user = current(), signed_in()
    memory: Memory = current_app.extensions.setdefault("dashboard", Memory())
    limits, watches_mail = rights.leads_of(user), user.may_enter_back_office
    whose = f" of {user.id}" if limits else ""
    leads = memory.of(f"leads{whose}", partial(figures.leads_by_status, db, limits))
    groups = memory.of("groups", partial(rows.groups, db, {})) if watches_mail else None
    per_day = {
        name: memory.of(f"{name}{whose}", partial(count, db, limits))
        for name, (_, count) in figures.CHARTS.items()
        if watches_mail or name in figures.OF_LEADS
    }
    jobs = progress.find_unfinished(db, user.key, user.sees_everything)
    shown: Document = {
        "leads": leads.value,
        "leadsAt": leads.at,
        "jobs": [progress.public(job) for job in jobs],
    }
    if groups:
        shown |= {"queue": status.current(db), "health": health.current(db)}
        shown |= {"failedMail": groups.value}
    if wants_json():
        days = {name: _by_day(counted.value) for name, counted in per_day.items()}
        return success({**shown, "perDay": days})
    failed_mail = sum(each["count"] for each in shown.get("failedMail") or ())
    return render_template(
        "dashboard/index.html",
        **shown,
        statuses=None if leads.value is None else figures.shares(leads.value),
        total=None if leads.value is None else sum(leads.value.values()),
        charts={
            name: None if counted.value is None else figures.chart(name, counted.value)
            for name, counted in per_day.items()
        },
        first_day=figures.last_days()[0].isoformat(),
        steps=next_steps.of(
            leads.value,
            failed_mail,
            [job["status"] for job in shown["jobs"]],
            "activate" in rights.actions_for(user),
        ),
    )


def _by_day(counts: figures.PerDay | None) -> dict[str, int] | None:
    return None if counts is None else {day.isoformat(): count for day, count in counts.items()}
