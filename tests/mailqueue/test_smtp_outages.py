"""Mail servers that cannot be used at all, that say goodbye badly, or that ask for less: nobody's attempt is spent.

Each row has a mail server, a database and a `flask worker` of its own; a few rows are played at a time, because most
of their time is waiting.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trustme

from config import Settings
from crmapp.mailqueue import control, health
from tests.support.alone import own_database, own_environ
from tests.support.mails import queue_mails, timeline
from tests.support.scripted_smtp import HANG, HANG_UP, HOST, Act, ScriptedServer, Stage, bye, say
from tests.support.waiting import until
from tests.support.worker import Worker

AT_A_TIME = 6


@dataclass
class Row:
    """What the server does at first. `None` as a script: it is not there."""

    name: str
    script: dict[Stage, Act] | None
    says: str = ""  # the beginning of the sentence on every page
    sign_in: bool = False
    encrypted: bool = False
    certificate: str = "right"
    too_fast: Act | None = None  # to more than ten mails a second

    @property
    def words(self) -> str:
        """Of the server, where it refuses."""
        replies = [act.reply.decode("latin-1").strip() for act in (self.script or {}).values()]
        return next((reply for reply in replies if reply[:1] in ("4", "5")), "")


TURNED_AWAY = "The mail server turns us away since "
SILENT = "The mail server does not answer since "
UNTRUSTED = "The mail server's certificate is not trusted since "
NOT_LET_IN = "The mail server refuses our sign-in since "

OUTAGES = [
    Row("connection-refused", None, SILENT),
    Row("421-at-connect", {Stage.CONNECT: bye("421 4.3.2 Too busy")}, TURNED_AWAY),
    Row("554-at-connect", {Stage.CONNECT: bye("554 No SMTP service here")}, TURNED_AWAY),
    Row("breaks-off-at-connect", {Stage.CONNECT: HANG_UP}, SILENT),
    Row("hangs-at-connect", {Stage.CONNECT: HANG}, SILENT),
    Row("550-at-ehlo", {Stage.EHLO: say("550 5.7.1 Not with that name")}, TURNED_AWAY),
    Row("breaks-off-at-ehlo", {Stage.EHLO: HANG_UP}, SILENT),
    Row("hangs-at-ehlo", {Stage.EHLO: HANG}, SILENT),
    Row("no-starttls", {Stage.EHLO: say("250 scripted")}, TURNED_AWAY, encrypted=True),
    Row("454-at-starttls", {Stage.STARTTLS: say("454 4.7.0 No TLS")}, TURNED_AWAY, encrypted=True),
    Row("hangs-at-starttls", {Stage.STARTTLS: HANG}, SILENT, encrypted=True),
    Row("certificate-of-another-name", {}, UNTRUSTED, encrypted=True, certificate="other name"),
    Row("certificate-of-a-stranger", {}, UNTRUSTED, encrypted=True, certificate="stranger"),
    Row("535-at-sign-in", {Stage.AUTH: say("535 5.7.8 No")}, NOT_LET_IN, sign_in=True),
    Row(
        "535-in-latin-1",
        {Stage.AUTH: say("535 5.7.8 Schlüssel ungültig", "latin-1")},
        NOT_LET_IN,
        sign_in=True,
        encrypted=True,
    ),
    Row("454-at-sign-in", {Stage.AUTH: say("454 4.7.0 Not now")}, NOT_LET_IN, sign_in=True),
    Row("breaks-off-at-sign-in", {Stage.AUTH: HANG_UP}, SILENT, sign_in=True),
    Row("hangs-at-sign-in", {Stage.AUTH: HANG}, SILENT, sign_in=True),
    Row("530-at-mail", {Stage.MAIL: say("530 5.7.0 Sign in first")}, NOT_LET_IN),
]
GOODBYES = [
    Row("554-at-quit", {Stage.QUIT: say("554 5.3.0 No")}),
    Row("breaks-off-at-quit", {Stage.QUIT: HANG_UP}),
    Row("hangs-at-quit", {Stage.QUIT: HANG}),
]
# The server ends the connection, or speaks of too much mail: once, at that stage.
GOINGS = [
    Row(f"421-at-{stage.name.lower()}", {stage: bye("421 4.3.2 Shutting down")})
    for stage in (Stage.MAIL, Stage.RCPT, Stage.DATA, Stage.END)
]
# One mail for each connection.
STINGY = [
    Row("breaks-off-after-each-mail", {Stage.END: bye("250 2.0.0 Taken")}),
    Row("421-after-each-mail", {Stage.END: bye("250 2.0.0 Taken\r\n421 4.7.0 One mail is enough")}),
]
LIMITS = [
    Row("450-too-fast", {}, too_fast=say("450 4.7.1 You are sending too fast")),
    Row("421-too-fast", {}, too_fast=bye("421 4.7.0 Too many messages, slow down")),
]


class Certificates:
    """`right` is this machine's, and signed by the one whom the workers trust."""

    def __init__(self, directory: Path) -> None:
        trusted = trustme.CA()
        self.trusted = str(directory / "trusted.pem")
        trusted.cert_pem.write_to_path(self.trusted)
        self.issued = {
            "right": trusted.issue_cert(HOST),
            "other name": trusted.issue_cert("mail.example.net"),
            "stranger": trustme.CA().issue_cert(HOST),
        }


class Play:
    """Where a row is played. `mails` are in its queue from the beginning."""

    def __init__(
        self, row: Row, smtp: ScriptedServer, db: Any, mails: int, start: Callable[[], Worker]
    ) -> None:
        self.row = row
        self.smtp = smtp
        self.db = db
        self.mails = queue_mails(db, [f"lead{number}@example.com" for number in range(mails)])
        self._start = start
        self.worker: Worker | None = None
        self.right_certificate: trustme.LeafCert | None = None

    def work(self, times: int | None = None) -> Worker:
        """Let the server do what the row says, `times` times where that is given, and start the worker."""
        for stage, act in (self.row.script or {}).items():
            self.smtp.rule(stage, act, times=times)
        self.worker = self._start()
        return self.worker

    def told(self) -> tuple[str, str]:
        """What every page says of the queue."""
        told = health.current(self.db)
        return told["state"], health.plain(told["text"])

    def assert_all_sent(self, types: tuple[str, ...] = ("sent",)) -> None:
        """Everybody got their mail once, without an attempt having been spent."""
        until(lambda: not self.db.pending_emails.find_one({}), 40, "the queue is empty")
        assert self.db.failed_emails.count_documents({}) == 0
        for mail in self.mails:
            taken = [taken["Message-ID"] for taken in self.smtp.taken[mail["email"]]]
            assert taken == [mail["messageId"]]
            events = timeline(self.db, mail)
            assert {event["type"] for event in events} <= set(types)
            assert {event["attempt"] for event in events} == {1}, [
                event["reply"] for event in events
            ]


class Theatre:
    """Plays rows, a few at a time."""

    def __init__(self, parts: Settings, directory: Path) -> None:
        self._parts = parts
        self._directory = directory
        self._certificates = Certificates(directory)
        self._pool = ThreadPoolExecutor(AT_A_TIME)
        self._played: dict[str, Future[None]] = {}

    def plan(self, rows: list[Row], mails: int, act_out: Callable[[Play], None]) -> None:
        for row in rows:
            self._played[row.name] = self._pool.submit(self._play, row, mails, act_out)

    def assert_right(self, row: Row) -> None:
        self._played[row.name].result()

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)

    def _play(self, row: Row, mails: int, act_out: Callable[[Play], None]) -> None:
        with self._stage(row, mails) as play:
            act_out(play)

    @contextmanager
    def _stage(self, row: Row, mails: int) -> Iterator[Play]:
        issued = self._certificates.issued
        smtp = ScriptedServer(
            certificate=issued[row.certificate] if row.encrypted else None, sign_in=row.sign_in
        )
        if row.script is not None:
            smtp.start()
        with own_environ(self._parts) as environ, own_database(environ) as db:
            environ |= {"MAIL_PORT": str(smtp.port), "SSL_CERT_FILE": self._certificates.trusted}
            if row.encrypted:
                environ["MAIL_USE_TLS"] = "1"
            if row.sign_in:
                environ |= {"MAIL_USERNAME": "crm", "MAIL_PASSWORD": "of the tests"}
            log = self._directory / f"{row.name}.log"
            play = Play(row, smtp, db, mails, partial(Worker, environ, log))
            play.right_certificate = issued["right"] if row.encrypted else None
            try:
                yield play
            finally:
                if play.worker:
                    play.worker.kill()
                smtp.stop(goodbye=False)


def outage(play: Play) -> None:
    """No attempt is spent, the pages say what is wrong, and everything is delivered once the server behaves."""
    play.work()
    told = until(lambda: control.outage(play.db), 20, "the outage is told")
    assert told["words"].startswith(play.row.words)
    state, text = play.told()
    assert state == "outage"
    assert text.startswith(play.row.says)
    assert "nothing was lost, next try in " in text
    assert play.db.pending_emails.count_documents({"attempts": 0}) == len(play.mails)
    assert play.db.events.count_documents({}) == 0
    play.smtp.behave()
    play.smtp.certificate = play.right_certificate
    if play.row.script is None:
        play.smtp.start()
    play.assert_all_sent()
    until(lambda: play.told()[0] == "empty", 10, "the outage is over")


def goodbye(play: Play) -> None:
    """What the server took, it took, whatever its goodbye is like."""
    worker = play.work()
    play.assert_all_sent()
    worker.stop()
    assert not play.smtp.open
    play.assert_all_sent()


def going(play: Play) -> None:
    """A connection that the server ended is no failure of the mail."""
    play.work(times=1)
    play.assert_all_sent(("deferred", "sent"))
    assert play.db.events.count_documents({"type": "deferred"}) == 1


def stingy(play: Play) -> None:
    """A new connection for each mail is all that it takes."""
    play.work()
    play.assert_all_sent(("deferred", "sent"))


def limit(play: Play) -> None:
    """The worker slows down, says so, and everything is delivered in the end."""
    assert play.row.too_fast
    play.smtp.most_per_second, play.smtp.too_fast = 10, play.row.too_fast
    play.work()
    _, text = until(lambda: told_that(play, "slowed"), 20, "the pages say that it is slower")
    assert "because the mail server says: " + play.smtp.too_fast.reply.decode().strip() in text
    play.assert_all_sent(("deferred", "sent"))


def told_that(play: Play, state: str) -> tuple[str, str] | None:
    told = play.told()
    return told if told[0] == state else None


@pytest.fixture(scope="module")
def theatre(parts: Settings, tmp_path_factory: Any) -> Iterator[Theatre]:
    theatre = Theatre(parts, tmp_path_factory.mktemp("outages"))
    theatre.plan(LIMITS, 40, limit)
    theatre.plan(GOINGS, 6, going)
    theatre.plan(STINGY, 12, stingy)
    theatre.plan(OUTAGES, 3, outage)
    theatre.plan(GOODBYES, 3, goodbye)
    yield theatre
    theatre.close()


ALL = [*LIMITS, *GOINGS, *STINGY, *OUTAGES, *GOODBYES]


@pytest.mark.parametrize("row", ALL, ids=[row.name for row in ALL])
def test_a_server_that_cannot_be_used(theatre: Theatre, row: Row) -> None:
    theatre.assert_right(row)
