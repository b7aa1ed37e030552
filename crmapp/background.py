"""The loops of this process: the job runner, the mail sender and the projector, put together here and nowhere else."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from flask import Flask
from pymongo.errors import PyMongoError

from config import Settings
from crmapp import notices
from crmapp.alerts import letter as alert
from crmapp.database import Db, Document
from crmapp.invitations import letter as invitation
from crmapp.jobs import jobs, kinds, leases, progress, runner
from crmapp.jobs.projector import Projector
from crmapp.jobs.runner import Runner
from crmapp.leads import words
from crmapp.live.blueprint import live
from crmapp.live.topics import QUEUE
from crmapp.mailqueue import control, counts, health, queue, status
from crmapp.mailqueue.drain import Drain
from crmapp.profile import reset_letter as reset

log = logging.getLogger(__name__)

HEALTH_KEY = "emailQueueHealth"
SESSION_SECONDS = 0.1
QUEUE_SECONDS = 0.2
HEALTH_SECONDS = 1.0
SWEEP_SECONDS = 5.0
DRIFT_SECONDS = 60.0
WORDS_SECONDS = 30.0


class Background:
    """Start it once per process, after the fork; never in the app factory, which also serves the shell and tests."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._settings: Settings = app.config["SETTINGS"]
        self._db: Db = app.extensions["database"]
        self._stopping = threading.Event()
        self._projected = threading.Event()
        self._threads: list[threading.Thread] = []
        self._projector = Projector(self._project, _interval)
        with app.app_context():
            self._runner = Runner(
                self._db, kinds.every(), self._settings.job_lease_seconds, self._projector.touch
            )
        self._drain = Drain(
            app,
            self._db,
            {
                invitation.TEMPLATE: invitation.compose,
                notices.TEMPLATE: notices.compose,
                reset.TEMPLATE: reset.compose,
                alert.TEMPLATE: alert.compose,
            },
            self._stopping,
            self._mail_changed,
            lambda: self._projector.touch(HEALTH_KEY),
        )

    def start(self) -> None:
        """Start every loop in a thread (a greenlet, under gevent) of its own."""
        with self._app.app_context():
            job_bell, mail_bell = live.hub.bell(runner.BELL), live.hub.bell(queue.BELL)
        self._spawn("projector", lambda: self._projector.loop(self._projected))
        self._spawn("sweep", self._sweep)
        self._spawn("words", self._add_words)
        self._spawn("runner", lambda: self._runner.loop(job_bell, self._stopping, self._thread))
        for name, loop in self._drain.loops(mail_bell).items():
            self._spawn(name, loop)

    def stop(self, timeout: float) -> None:
        """Ask every loop to end after the unit of work it is in, and wait up to `timeout` seconds in all.
        Nothing is killed: that would break the MongoDB client's connections."""
        give_up_at = time.monotonic() + timeout
        self._stopping.set()
        with self._app.app_context():
            live.hub.bell(runner.BELL).set()
            live.hub.bell(queue.BELL).set()
        projector, *others = self._threads
        for thread in others:
            thread.join(max(0.0, give_up_at - time.monotonic()))
        # Last, because the others' last changes are to be shown too.
        self._projected.set()
        projector.join(max(0.5, give_up_at - time.monotonic()))

    def _spawn(self, name: str, loop: Callable[[], None]) -> None:
        def run() -> None:
            while True:
                try:
                    return loop()
                except Exception:
                    log.exception("the loop %s failed and begins again", name)
                    self._stopping.wait(timeout=1.0)

        self._threads.append(self._thread(name, run))

    def _thread(self, name: str, work: Callable[[], None]) -> threading.Thread:
        def run() -> None:
            with self._app.app_context():
                try:
                    work()
                except Exception:
                    log.exception("the thread %s failed", name)

        thread = threading.Thread(target=run, name=name, daemon=True)
        thread.start()
        return thread

    def _mail_changed(self, mail: Document) -> None:
        self._projector.touch(QUEUE)
        if mail["sessionId"]:
            self._projector.touch(mail["sessionId"])

    def _project(self, key: str) -> None:
        if key == QUEUE:
            status.refresh(self._db)
        elif key == HEALTH_KEY:
            health.refresh(self._db)
        else:
            progress.refresh(self._db, key)

    def _sweep(self) -> None:
        """Say that this process is alive, and catch what one that died left unprojected."""
        name, measure_at = leases.worker_name(), 0.0
        while not self._stopping.is_set():
            try:
                control.seen(self._db, name, self._drain.sent_last_minute())
                if time.monotonic() >= measure_at:
                    measure_at = time.monotonic() + DRIFT_SECONDS
                    counts.measure_drift(self._db)
                unsettled = jobs.unsettled_ids(self._db)
            except PyMongoError as error:
                log.warning("no sweep: %s", error)
                unsettled = []
            for key in (QUEUE, HEALTH_KEY, *unsettled):
                self._projector.touch(key)
            self._stopping.wait(timeout=SWEEP_SECONDS)

    def _add_words(self) -> None:
        while not self._stopping.is_set():
            try:
                goes_on = words.add_missing(self._db)
            except PyMongoError as error:
                log.warning("no words of leads were added: %s", error)
                goes_on = False
            self._stopping.wait(timeout=0.05 if goes_on else WORDS_SECONDS)


def _interval(key: str) -> float:
    return {QUEUE: QUEUE_SECONDS, HEALTH_KEY: HEALTH_SECONDS}.get(key, SESSION_SECONDS)
