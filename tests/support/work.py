"""The work of the background loops, done by calling their steps."""

from __future__ import annotations

from typing import Any

from flask import Flask

from crmapp.jobs import kinds, progress
from crmapp.jobs.runner import Held, Runner


def run_jobs(site: Flask) -> None:
    """Run every job that is free until it needs no runner any more. No mail is sent."""
    moved: set[str] = set()
    with site.app_context():
        runner = new_runner(site, moved.add)
        held = claim_all(runner)
        while held:
            held = [each for each in held if runner.step(each) is not None]
    for job_id in moved:
        refresh(site, job_id)


def new_runner(site: Flask, touch: Any = lambda key: None) -> Runner:
    """A runner as a worker has it, without its threads."""
    with site.app_context():
        return Runner(site.extensions["database"], kinds.every(), lease_seconds=10, touch=touch)


def claim_all(runner: Runner) -> list[Held]:
    held = []
    while one := runner.claim():
        held.append(one)
    return held


def refresh(site: Flask, job_id: str) -> None:
    """Bring the progress of a job up to date."""
    with site.app_context():
        progress.refresh(site.extensions["database"], job_id)
