"""The work of the background loops, done by calling their steps."""

from __future__ import annotations

from typing import Any

from flask import Flask

from crmapp.activation.start import TYPE
from crmapp.activation.step import ActivationRun
from crmapp.jobs import progress
from crmapp.jobs.runner import Runner
from crmapp.mailqueue import queue


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
        while runner.step():
            pass
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
