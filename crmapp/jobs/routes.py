"""The pages of jobs, their JSON twins, and the controls."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Blueprint, Response, render_template, request, stream_with_context
from flask.typing import ResponseReturnValue

from crmapp.accounts.access import signed_in, wants_json
from crmapp.database import Document, current, db
from crmapp.jobs import charts, control, errors, export, figures, jobs, kinds, listing, progress
from crmapp.jobs.filters import KEYS
from crmapp.jobs.jobs import JobStatus
from crmapp.jobs.listing import public
from crmapp.jobs.trail import told
from crmapp.paging import Page
from crmapp.wire import success

jobs_desk = Blueprint("jobs", __name__, url_prefix="/crm")

CONTROLS = {
    "pause": control.pause,
    "resume": control.resume,
    "cancel": control.cancel,
    "undo": control.undo,
}


@jobs_desk.get("/jobs")
def index() -> ResponseReturnValue:
    user = signed_in()
    if wants_json():
        page, _ = listing.list_page(db, user, request.args.to_dict())
        return success(_numbered(page))
    return render_template(
        "jobs/index.html",
        active=_active(),
        recent=listing.recent(db, user),
        kinds=listing.types(),
    )


@jobs_desk.get("/jobs/active")
def active() -> ResponseReturnValue:
    return success({"items": _active()})


def _active() -> list[Document]:
    user = signed_in()
    unfinished = progress.find_unfinished(db, user.key, user.sees_everything)
    return [progress.public(document) for document in unfinished]


@jobs_desk.get("/jobs/history")
def history() -> ResponseReturnValue:
    user = signed_in()
    page, filter = listing.list_page(db, user, request.args.to_dict())
    span = figures.over_time(db, user, filter)
    if wants_json():
        return success({**_numbered(page), "figures": span.public()})
    return render_template(
        "jobs/history.html",
        page=page,
        filter={name: filter.get(name, "") for name in KEYS},
        types=listing.types(),
        statuses=[status.value for status in JobStatus],
        people=listing.people(db) if user.sees_everything else [],
        figures=charts.draw(span),
    )


@jobs_desk.get("/jobs/history.csv")
def history_csv() -> ResponseReturnValue:
    pieces = export.history(current(), signed_in(), request.args.to_dict())
    return _download("jobs.csv", pieces)


@jobs_desk.get("/jobs/<job_id>")
def show(job_id: str) -> ResponseReturnValue:
    user = signed_in()
    job = jobs.find(db, user, job_id)
    trail, siblings = told(job.get("trail", [])), listing.siblings(db, user, job)
    page, groups = errors.list_page(db, job, {})
    if wants_json():
        more = {"trail": trail, "siblings": siblings, "errorGroups": groups}
        return success({**public(job), **more})
    return render_template(
        "jobs/show.html",
        job=public(job),
        trail=trail,
        siblings=siblings,
        groups=groups,
        errors=page.items,
        more_errors=page.total - len(page.items),
        mails=listing.mails(db, job),
    )


@jobs_desk.get("/jobs/<job_id>/errors")
def show_errors(job_id: str) -> ResponseReturnValue:
    job = jobs.find(db, signed_in(), job_id)
    page, groups = errors.list_page(db, job, request.args.to_dict())
    return success({**_numbered(page), "groups": groups})


@jobs_desk.get("/jobs/<job_id>/errors.csv")
def errors_csv(job_id: str) -> ResponseReturnValue:
    job = jobs.find(db, signed_in(), job_id)
    pieces = export.of_errors(current(), job, request.args.to_dict())
    return _download(f"{job_id}-errors.csv", pieces)


@jobs_desk.post("/jobs/<job_id>/<any(pause, resume, cancel, undo):action>")
@jobs_desk.post("/activation/<job_id>/<any(pause, resume, cancel, undo):action>")
def steer(job_id: str, action: str) -> ResponseReturnValue:
    job, msg = CONTROLS[action](db, signed_in(), job_id)
    return success({"job": public(job), "msg": msg})


@jobs_desk.post("/jobs/<job_id>/retry")
@jobs_desk.post("/activation/<job_id>/retry")
def retry(job_id: str) -> ResponseReturnValue:
    job = control.retry(db, signed_in(), job_id)
    items = kinds.of(job["type"]).items
    shown = {
        "jobId": job["_id"],
        "sessionId": job["_id"],
        "total": job["counts"]["total"],
        "job": public(job),
        "msg": f"The failed {items} are tried again, by a job of its own.",
    }
    return success(shown, 202)


def _numbered(page: Page) -> Document:
    return {"items": page.items, "total": page.total, "page": page.page, "pages": page.pages}


def _download(name: str, pieces: Iterator[str]) -> Response:
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(stream_with_context(pieces), mimetype="text/csv", headers=disposition)
