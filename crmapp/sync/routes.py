"""Syncs for programs: start one, and see how they stand."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue

from crmapp.accounts.access import signed_in
from crmapp.database import db
from crmapp.jobs import jobs, progress
from crmapp.jobs.jobs import NoSuchJob
from crmapp.jobs.runner import BELL
from crmapp.live.blueprint import live
from crmapp.sync import listing, sources
from crmapp.sync.start import start
from crmapp.wire import success

ml_sync = Blueprint("ml_sync", __name__, url_prefix="/api/ml/sync")


@ml_sync.post("/<type>")
def begin(type: str) -> ResponseReturnValue:
    job = start(db, signed_in(), sources.of(type))
    progress.refresh(db, job["_id"])
    live.ring(BELL)
    return success({"jobId": job["_id"], "total": job["counts"]["total"]}, 202)


@ml_sync.get("/jobs")
def index() -> ResponseReturnValue:
    return success({"items": listing.of_user(db, signed_in())})


@ml_sync.get("/job/<job_id>")
def show(job_id: str) -> ResponseReturnValue:
    job = jobs.find(db, signed_in(), job_id)
    if job["type"] not in sources.every():
        raise NoSuchJob(job_id)
    return success(listing.public(db, job))
