"""The work of the background loops, done by calling their steps."""

from __future__ import annotations

from typing import Any

from flask import Flask

from crmapp.activation.start import TYPE
from crmapp.activation.step import ActivationRun
from crmapp.jobs import progress
from crmapp.jobs.jobs import UNFINISHED, Phase
from crmapp.jobs.runner import Runner
from crmapp.mailqueue import queue
from tests.support.waiting import until


def run_jobs(site: Flask) -> None:
    """Run every activation until its users exist. No mail is sent."""
    db: Any = site.extensions["database"]
    moved: set[str] = set()
    with site.app_context():
        runner = Runner(
            db,
            {TYPE: lambda db, lease: ActivationRun(db, lease, "crm.example.com", lambda: None)},
            lease_seconds=10,
            changed=moved.add,
        )
        runner.claim_all()
        undone = {"status": {"$in": UNFINISHED}, "phase": {"$ne": Phase.MAILING}}
        until(lambda: not runner.step() and not db.jobs.find_one(undone))
    for session_id in moved:
        refresh(site, session_id)


def refresh(site: Flask, session_id: str) -> None:
    """Bring the progress of a session up to date."""
    settings = site.config["SETTINGS"]
    with site.app_context():
        progress.refresh(
            site.extensions["database"],
            session_id,
            queue.count_of_session,
            settings.progress_ttl_seconds,
        )
