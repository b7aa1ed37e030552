"""Runs whatever jobs are free, each in a thread of its own, so that none keeps another waiting."""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from pymongo.errors import PyMongoError

from crmapp.availability import passes
from crmapp.database import Db
from crmapp.jobs import jobs, leases, progress
from crmapp.jobs.jobs import JobFault
from crmapp.jobs.kinds import Kind, Run, Touch
from crmapp.jobs.leases import Lease, LeaseLost

log = logging.getLogger(__name__)

BELL = "bell/jobs"
LOOK_SECONDS = 1.0
CONFLICT_PAUSE_SECONDS = 0.2
AWAY_PAUSE_SECONDS = 1.0
# Of one process; what is more waits for one of these, or for another process.
MOST_AT_ONCE = 50
# As often may the same chunk fail, or kill its process, before the job is given up.
MOST_TROUBLES = 8
MOST_DEATHS = 30
DEADLY = (
    f"The process that ran it died {MOST_DEATHS} times in a row at the same place. Look into its log, "
    "mend the cause, then resume the job."
)


@dataclass
class Held:
    """A job that this process runs."""

    lease: Lease
    run: Run
    troubles: int = 0
    waits: bool = False  # for MongoDB


class Runner:
    """`kinds` says how jobs are run, by their type; `touch` is told the id of every job that moved."""

    def __init__(self, db: Db, kinds: Mapping[str, Kind], lease_seconds: int, touch: Touch) -> None:
        self._db = db
        self._kinds = kinds
        self._lease_seconds = lease_seconds
        self._touch = touch
        self._threads: list[threading.Thread] = []

    def loop(
        self,
        bell: threading.Event,
        stopping: threading.Event,
        start: Callable[[str, Callable[[], None]], threading.Thread],
    ) -> None:
        """Take what is free until told to stop; `start` runs a named function in a thread. Every lease is given back
        at the end."""
        while not stopping.is_set():
            bell.clear()
            self._threads = [thread for thread in self._threads if thread.is_alive()]
            while len(self._threads) < MOST_AT_ONCE and (held := self.claim()):
                self._threads.append(start("job", partial(self._work, held, stopping)))
            bell.wait(timeout=LOOK_SECONDS)
        for thread in self._threads:
            thread.join()

    def claim(self) -> Held | None:
        """A job that is free and that this process can run; None where there is none."""
        try:
            mine = {"type": {"$in": list(self._kinds)}}
            lease = leases.claim(self._db, self._lease_seconds, mine)
            if lease is None:
                return None
            return Held(lease, self._kinds[lease.job["type"]].run(self._db, lease, self._touch))
        except PyMongoError as error:
            log.warning("cannot look for jobs: %s", error)
            return None

    def _work(self, held: Held, stopping: threading.Event) -> None:
        pause: float | None = 0.0
        while pause is not None:
            if stopping.wait(timeout=pause) if pause else stopping.is_set():
                return self._give_back(held.lease)
            pause = self.step(held)
        return None

    def step(self, held: Held) -> float | None:
        """One chunk. Returns the seconds to wait before the next one; None where there is none for this process."""
        try:
            if held.lease.job.get("deaths", 0) >= MOST_DEATHS:
                self._give_up(held.lease, DEADLY)
                return None
            goes_on = held.run.step()
            held.troubles, held.waits = 0, False
            return 0.0 if goes_on else None
        except LeaseLost:
            self._let_go(held.lease)
            return None
        except Exception as error:
            return self._after_trouble(held, error)
        finally:
            self._touch(held.lease.job_id)

    def _after_trouble(self, held: Held, error: Exception) -> float | None:
        """Nothing of the chunk was written: it is tried again, more and more rarely, and at last given up; not while
        the database is away. Raises LeaseLost."""
        if not self._keeps(held.lease):
            return None
        if isinstance(error, PyMongoError) and (pause := _passing_pause(error)):
            self._say_once(held, error)
            return min(pause, held.lease.seconds / 3)
        held.troubles += 1
        if held.troubles >= MOST_TROUBLES:
            problem = str(error) if isinstance(error, JobFault) else _unknown(error)
            self._give_up(held.lease, problem)
            return None
        pause = min(2.0**held.troubles / 10, held.lease.seconds / 3)
        known = isinstance(error, (PyMongoError, JobFault))
        log.log(
            logging.WARNING if known else logging.ERROR,
            "job %s waits %.1f s: %s",
            held.lease.job_id,
            pause,
            error,
            exc_info=not known,
        )
        return pause

    def _say_once(self, held: Held, error: PyMongoError) -> None:
        """However long it waits."""
        if not held.waits:
            log.warning("job %s waits for MongoDB: %s", held.lease.job_id, error)
        held.waits = True

    def _keeps(self, lease: Lease) -> bool:
        """Renew the lease, which is to last through the pause. False where the trouble was that it is lost."""
        try:
            leases.write(self._db, lease, {}, in_transaction=False)
        except LeaseLost:
            self._let_go(lease)
            return False
        except PyMongoError:
            pass  # the database is away, and whoever is first when it is back has the job
        return True

    def _give_back(self, lease: Lease) -> None:
        try:
            leases.give_back(self._db, lease)
        except PyMongoError as error:
            log.warning("job %s is free once its lease has lapsed: %s", lease.job_id, error)

    def _let_go(self, lease: Lease) -> None:
        """Its session is not given back to the driver's pool: whoever has the job now may end it at any time."""
        log.info("job %s is not run by this process any more", lease.job_id)

    def _give_up(self, lease: Lease, problem: str) -> None:
        log.error("job %s is given up: %s", lease.job_id, problem)
        try:
            leases.fail(self._db, lease, problem, progress.tell_of_end)
            jobs.prune(self._db, lease.job["userId"])
        except LeaseLost:
            self._let_go(lease)
        except PyMongoError as error:
            log.warning("job %s is left to whoever takes it up next: %s", lease.job_id, error)


def _passing_pause(error: PyMongoError) -> float | None:
    """How long to wait where the trouble is none of the job's: MongoDB is away, or another wrote the same documents."""
    if passes(error):
        return AWAY_PAUSE_SECONDS
    return CONFLICT_PAUSE_SECONDS if error.has_error_label("TransientTransactionError") else None


def _unknown(error: Exception) -> str:
    fault_id = secrets.token_hex(4)
    log.error("fault %s", fault_id, exc_info=error)
    return (
        f"It met the same fault {MOST_TROUBLES} times in a row (fault {fault_id} in the log). Mend the cause, "
        "then resume the job, or cancel it."
    )
