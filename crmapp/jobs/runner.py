"""Runs whatever jobs are free, a chunk of each in turn, so that a big one never keeps a small one waiting."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from pymongo.errors import PyMongoError

from crmapp.database import Db
from crmapp.jobs import leases
from crmapp.jobs.leases import Lease, LeaseLost

log = logging.getLogger(__name__)

BELL = "bell/jobs"
LOOK_SECONDS = 1.0
MAX_PAUSE_SECONDS = 15.0


class Run(Protocol):
    """One job in the hands of this process."""

    def step(self) -> bool:
        """Do one chunk. False once no runner is needed any more."""


@dataclass
class _Held:
    lease: Lease
    run: Run
    troubles: int = 0
    not_before: float = field(default=0.0)


class Runner:
    """`runs` makes a Run of a lease, by the job's type; `changed` is told the id of every job that moved."""

    def __init__(
        self,
        db: Db,
        runs: Mapping[str, Callable[[Db, Lease], Run]],
        lease_seconds: int,
        changed: Callable[[str], None],
    ) -> None:
        self._db = db
        self._runs = runs
        self._lease_seconds = lease_seconds
        self._changed = changed
        self._held: list[_Held] = []

    def loop(self, bell: threading.Event, stopping: threading.Event) -> None:
        """Step until told to stop; then give every lease back."""
        look_at = 0.0
        while not stopping.is_set():
            if bell.is_set() or time.monotonic() >= look_at:
                bell.clear()
                look_at = time.monotonic() + LOOK_SECONDS
                self.claim_all()
            if not self.step():
                bell.wait(timeout=LOOK_SECONDS if not self._held else 0.05)
        for held in self._held:
            leases.give_back(self._db, held.lease)

    def claim_all(self) -> None:
        """Take every job that is free and of a type that this process can run."""
        mine = {"type": {"$in": list(self._runs)}}
        try:
            while lease := leases.claim(self._db, self._lease_seconds, mine):
                run = self._runs[lease.job["type"]](self._db, lease)
                self._held.append(_Held(lease, run))
        except PyMongoError as error:
            log.warning("cannot look for jobs: %s", error)

    def step(self) -> bool:
        """One chunk of each job that is held. Says whether there was one to do."""
        due = [held for held in self._held if held.not_before <= time.monotonic()]
        for held in due:
            self._step_of(held)
        return bool(due)

    def _step_of(self, held: _Held) -> None:
        try:
            if not held.run.step():
                self._held.remove(held)
            held.troubles = 0
        except LeaseLost:
            log.info("job %s is run by another process now", held.lease.job_id)
            held.lease.session.end_session()
            self._held.remove(held)
        except Exception as error:
            # Nothing of the chunk was written: it is tried again, more and more rarely.
            held.troubles += 1
            pause = min(2.0**held.troubles / 10, MAX_PAUSE_SECONDS)
            held.not_before = time.monotonic() + pause
            log.log(
                logging.WARNING if isinstance(error, PyMongoError) else logging.ERROR,
                "job %s waits %.1f s: %s",
                held.lease.job_id,
                pause,
                error,
                exc_info=not isinstance(error, PyMongoError),
            )
        self._changed(held.lease.job_id)
