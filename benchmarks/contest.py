"""Who sends the mails that are queued, and how fast each of them is.

The product's clock runs from the bell, which is rung once the mails are in the queue and the worker idles, until the
mail server has them all and the queue is empty; rendering, claiming and settling are included. Nobody else renders,
and nobody's start is counted: django-post_office's clock is around what `send_queued_mail` calls, Celery's runs from
letting an idle worker have its queue until the mail server has the last mail.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from benchmarks import mails, servers
from benchmarks.helper import helper
from benchmarks.mailservers import SMTP_SOURCE, MailServer
from benchmarks.peers.celery_worker import Worker
from benchmarks.tables import median
from benchmarks.waiting import poll, until
from config import Settings
from crmapp.database import Db

LONGEST_SECONDS = 600
POLL_SECONDS = 0.005
NEVER = "86400"

MailServers = Callable[[], AbstractContextManager[MailServer]]


class Contest:
    """Everybody sends the same `count` letters to a mail server that is new each time. `connections` is how many each
    of the product's workers has, and post_office in all. The rates are in mails a second."""

    def __init__(
        self, settings: Settings, mail_servers: MailServers, count: int, connections: int
    ) -> None:
        self._settings = settings
        self._mail_servers = mail_servers
        self._count = count
        self._connections = connections
        self._letters = settings.data_dir / "letters.json"
        self.letter_bytes = self._prepare()

    def _prepare(self) -> float:
        uri, db = servers.new_database(self._settings, "letters")
        mails.fill(db, self._count)
        with mails.application(servers.environ_of(self._settings, uri)):
            size = mails.write_letters(db, self._letters)
        db.client.drop_database(db)
        return size

    def crmapp(self, workers: int) -> float:
        with self._mail_servers() as taker:
            uri, db = servers.new_database(self._settings, "drain")
            environ = servers.environ_of(
                self._settings,
                uri,
                MAIL_PORT=str(taker.port),
                WEB_CONCURRENCY=str(workers),
                EMAIL_CONNECTIONS=str(self._connections),
                # Only the bell is to wake them.
                EMAIL_SWEEP_SECONDS=NEVER,
            )
            log = self._settings.data_dir / "drain.log"
            with mails.application(environ), servers.crmapp_server(environ, log):
                until(lambda: db.workers.count_documents({}) == workers, 30, "all workers run")
                mails.fill(db, self._count)
                began = time.monotonic()
                mails.ring()
                self._wait_for_all(taker)
                _wait_until_empty(db)
                seconds = time.monotonic() - began
            _require_all_sent(db, self._count)
            db.client.close()
        return self._count / seconds

    def _wait_for_all(self, taker: MailServer) -> None:
        if not poll(lambda: taker.taken() >= self._count, LONGEST_SECONDS, POLL_SECONDS):
            raise TimeoutError(f"only {taker.taken()} of {self._count} mails came")

    def post_office(self, number_of_processes: int) -> float:
        database = self._settings.data_dir / "post_office.sqlite3"
        for file in database.parent.glob(f"{database.name}*"):
            file.unlink()
        with self._mail_servers() as taker:
            environ = {
                "DATABASE": str(database),
                "MAIL_PORT": str(taker.port),
                "THREADS": str(-(-self._connections // number_of_processes)),
            }
            with helper("peers.post_office", environ=environ) as peer:
                peer.ask("queue", path=str(self._letters))
                peer.tell("send", processes=number_of_processes)
                seconds = float(peer.answer(LONGEST_SECONDS))
            self._wait_for_all(taker)
        return self._count / seconds

    def celery(self, pool: str, concurrency: int) -> float:
        with (
            self._mail_servers() as taker,
            Worker(self._settings, taker.port, pool, concurrency) as worker,
        ):
            worker.queue(self._letters)
            began = time.monotonic()
            worker.begin()
            self._wait_for_all(taker)
            seconds = time.monotonic() - began
        return self._count / seconds

    def smtplib(self) -> float:
        with (
            self._mail_servers() as taker,
            helper("peers.smtplib_loop", str(taker.port), str(self._letters)) as loop,
        ):
            return self._count / float(loop.greeting)

    def smtp_source(self) -> float | None:
        """None where it is missing."""
        if SMTP_SOURCE is None:
            return None
        with self._mail_servers() as taker:
            size = ["-l", str(round(self.letter_bytes)), "-m", str(self._count)]
            sessions = ["-d", "-s", str(self._connections)]
            began = time.monotonic()
            subprocess.run([SMTP_SOURCE, *sessions, *size, f"127.0.0.1:{taker.port}"], check=True)
            return self._count / (time.monotonic() - began)


def _wait_until_empty(db: Db) -> None:
    if not poll(lambda: db.pending_emails.find_one({}, {"_id": 1}) is None, 60, POLL_SECONDS):
        raise TimeoutError("what was sent is not removed from the queue")


def _require_all_sent(db: Db, count: int) -> None:
    sent = db.events.count_documents({"type": "sent"})
    if sent != count:
        raise RuntimeError(f"{sent} of {count} mails were sent")


CONTESTANTS: dict[str, Callable[[Contest], float | None]] = {
    "crmapp 1": lambda contest: contest.crmapp(1),
    "crmapp 2": lambda contest: contest.crmapp(2),
    "post_office 1": lambda contest: contest.post_office(1),
    "post_office 2": lambda contest: contest.post_office(2),
    "Celery prefork 2": lambda contest: contest.celery("prefork", 2),
    "Celery gevent 50": lambda contest: contest.celery("gevent", 50),
    "smtplib loop": Contest.smtplib,
    "smtp-source": Contest.smtp_source,
}
PEERS = ("post_office 1", "post_office 2", "Celery prefork 2", "Celery gevent 50")


def run(contest: Contest, names: Sequence[str], rounds: int) -> dict[str, float | None]:
    """The medians, everybody in turn in each round."""
    rates: dict[str, list[float]] = {name: [] for name in names}
    for this_round in range(1, rounds + 1):
        for name in names:
            rate = CONTESTANTS[name](contest)
            words = "missing" if rate is None else f"{rate:,.0f}/s"
            print(f"round {this_round}, {name}: {words}", file=sys.stderr, flush=True)
            rates[name] += [] if rate is None else [rate]
    return {name: median(of_one) if of_one else None for name, of_one in rates.items()}
