"""What a mail server may do with one mail, and what has to become of it: the right place, the right reason, after the
right number of attempts, and no harm to the mail beside it. One gunicorn works off the whole table.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from config import Settings
from tests.support.alone import MAX_ATTEMPTS, own_database, own_environ
from tests.support.mails import queue_mails, timeline
from tests.support.scripted_smtp import CRASH, HANG, HANG_UP, Act, ScriptedServer, Stage, say
from tests.support.server import Server
from tests.support.waiting import until

SESSION = "activation_1700000000000_table"


@dataclass
class Row:
    """`script` is what the server does with mail to this row's address; `times`, how often. Without a `reason` the mail
    is sent in the end."""

    name: str
    script: dict[Stage, Act]
    reason: str | None
    attempts: int = 1
    times: int | None = None
    words: str = ""  # how what is kept of the server's words begins

    @property
    def address(self) -> str:
        return f"{self.name}@example.com"

    @property
    def neighbour(self) -> str:
        return f"beside-{self.name}@example.com"

    @property
    def types(self) -> list[str]:
        """Of the events in the timeline."""
        return ["deferred"] * (self.attempts - 1) + ["failed" if self.reason else "sent"]


def refused(stage: Stage, words: str, reason: str, **more: Any) -> Row:
    """A row in which the server says `words` every time."""
    name = f"{stage.name}-{words[:9]}".lower().replace(" ", "-").replace(".", "-")
    return Row(name.rstrip("-"), {stage: say(words)}, reason, words=words, **more)


def deferred(stage: Stage, words: str, reason: str = "temporarily_refused_too_often") -> Row:
    return refused(stage, words, reason, attempts=MAX_ATTEMPTS)


MANY_LINES = [
    f"5.7.1 Reason number {number:03} of it, at some length and in full" for number in range(64)
]
MANY_WORDS = "5.7.1 " + "because " * 500
RCPT, DATA, END = Stage.RCPT, Stage.DATA, Stage.END

ROWS = [
    Row("taken", {}, None, words="250 2.0.0 Taken"),
    Row("forwarded", {RCPT: say("251 2.1.5 Will forward")}, None, words="250 2.0.0 Taken"),
    # For now
    *(deferred(stage, f"{code} Not now") for stage in (RCPT, DATA, END) for code in (450, 451)),
    deferred(RCPT, "450 4.2.1 Greylisted, separate deliveries later"),
    Row("greylisted", {RCPT: say("450 4.2.0 Greylisted")}, None, attempts=2, times=1),
    Row("busy-twice", {END: say("451 4.3.0 Busy")}, None, attempts=3, times=2),
    # For ever, by the stage
    refused(RCPT, "550 No such user here", "mailbox_unknown"),
    refused(RCPT, "551 User not local", "mailbox_unknown"),
    refused(RCPT, "552 Mailbox full", "mailbox_full"),
    refused(RCPT, "553 Mailbox name not allowed", "mailbox_unknown"),
    refused(RCPT, "554 Go away", "refused_by_policy"),
    *(
        refused(stage, f"{code} {words}", reason)
        for stage in (DATA, END)
        for code, words, reason in (
            (550, "Looks like spam", "rejected_content"),
            (552, "Too much for this mailbox", "mailbox_full"),
            (553, "Not like that", "rejected_content"),
            (554, "Transaction failed", "rejected_content"),
        )
    ),
    # For ever, by the enhanced code (RFC 3463)
    refused(RCPT, "550 5.1.1 No such user", "mailbox_unknown"),
    refused(RCPT, "554 5.1.2 No such domain", "domain_unknown"),
    refused(RCPT, "550 5.4.4 Unable to route", "domain_unknown"),
    refused(RCPT, "554 5.2.1 Mailbox disabled", "mailbox_unknown"),
    refused(RCPT, "550 5.2.2 Over quota", "mailbox_full"),
    refused(RCPT, "550 5.7.1 Relaying denied", "refused_by_policy"),
    refused(RCPT, "553 5.1.8 Sender's domain not found", "rejected_sender"),
    refused(END, "552 5.3.4 Too big", "rejected_content"),
    refused(END, "554 5.7.1 Virus found", "rejected_content"),
    refused(END, "550 5.1.1 No such user after all", "mailbox_unknown"),
    # Nobody is to get it, and still the server wants a content.
    Row(
        "content-for-nobody",
        {RCPT: say("550 5.1.1 No such user"), DATA: say("354 Go on")},
        "mailbox_unknown",
        words="550 5.1.1 No such user",
    ),
    # Breaking off and hanging
    *(
        Row(
            f"{what}-{stage.name}".lower().replace("_", "-"),
            {stage: act},
            "timeout",
            MAX_ATTEMPTS,
            words="The connection broke at",
        )
        for stage in (RCPT, DATA, Stage.IN_CONTENT, END)
        for what, act in (("breaks-off", HANG_UP), ("hangs", HANG))
    ),
    Row("crashes-at-end", {END: CRASH}, "timeout", MAX_ATTEMPTS, words="The connection broke at"),
    Row("breaks-off-once", {Stage.IN_CONTENT: HANG_UP}, None, attempts=2, times=1),
    Row("no-answer-once", {END: HANG_UP}, None, attempts=2, times=1),
    # Odd replies
    Row("not-a-reply", {RCPT: say("Hello?")}, "timeout", MAX_ATTEMPTS, words="The connection"),
    Row(
        "latin-1",
        {RCPT: say("550 5.1.1 Empfänger unbekannt", "latin-1")},
        "mailbox_unknown",
        words="550 5.1.1 Empfänger unbekannt",
    ),
    Row(
        "latin-1-taken",
        {END: say("250 2.0.0 Für Sie übernommen", "latin-1")},
        None,
        words="250 2.0.0 Für Sie übernommen",
    ),
    # 4 KB
    Row(
        "long-reply",
        {
            RCPT: say(
                "\r\n".join([*(f"550-{line}" for line in MANY_LINES), "550 5.7.1 That is all"])
            )
        },
        "refused_by_policy",
        words=" ".join(["550", *MANY_LINES, "5.7.1 That is all"]),
    ),
    Row(
        "long-line", {END: say(f"554 {MANY_WORDS}")}, "rejected_content", words=f"554 {MANY_WORDS}"
    ),
]
# The sender is the same for every mail, so nobody is given up at once. A server can tell the mails apart at this stage
# only where their recipients come in the same packet.
AT_MAIL = [
    *(
        deferred(Stage.MAIL, f"{code} Not from you", "rejected_sender")
        for code in (450, 451, 550, 552, 553, 554)
    ),
    *(
        Row(f"{what}-mail", {Stage.MAIL: act}, "timeout", MAX_ATTEMPTS, words="The connection")
        for what, act in (("breaks-off", HANG_UP), ("hangs", HANG))
    ),
    Row("not-from-you-once", {Stage.MAIL: say("550 Not yet")}, None, attempts=2, times=1),
]


@dataclass
class Result:
    """What is found of the table after it was worked off."""

    smtp: ScriptedServer
    db: Any
    mails: dict[str, dict[str, Any]]


def work_off(parts: Settings, rows: list[Row], pipelining: bool, log: Path) -> Iterator[Result]:
    smtp = ScriptedServer(pipelining).start()
    for row in rows:
        for stage, act in row.script.items():
            smtp.rule(stage, act, row.address, row.times)
    with own_environ(parts) as environ, own_database(environ) as db:
        addresses = [address for row in rows for address in (row.address, row.neighbour)]
        mails = {mail["email"]: mail for mail in queue_mails(db, addresses, SESSION)}
        server = Server({**environ, "MAIL_PORT": str(smtp.port)}, log)
        server.start(wait=False)
        try:
            until(lambda: not db.pending_emails.find_one({}), 60, "every mail was sent or given up")
            yield Result(smtp, db, mails)
        finally:
            server.kill()
            smtp.stop(goodbye=False)


@pytest.fixture(scope="module")
def pipelined(parts: Settings, tmp_path_factory: Any) -> Iterator[Result]:
    log = tmp_path_factory.mktemp("pipelined") / "server.log"
    yield from work_off(parts, ROWS + AT_MAIL, pipelining=True, log=log)


@pytest.fixture(scope="module")
def one_by_one(parts: Settings, tmp_path_factory: Any) -> Iterator[Result]:
    log = tmp_path_factory.mktemp("one_by_one") / "server.log"
    yield from work_off(parts, ROWS, pipelining=False, log=log)


def named(rows: list[Any]) -> dict[str, Any]:
    return {"argvalues": rows, "ids": [row.name for row in rows]}


@pytest.mark.parametrize("row", **named(ROWS + AT_MAIL))
def test_a_server_with_pipelining(pipelined: Result, row: Row) -> None:
    assert_right(pipelined, row)
    assert_unharmed(pipelined, row.neighbour)


@pytest.mark.parametrize("row", **named(ROWS))
def test_a_server_without_pipelining(one_by_one: Result, row: Row) -> None:
    assert_right(one_by_one, row)
    assert_unharmed(one_by_one, row.neighbour)


def assert_right(result: Result, row: Row) -> None:
    mail = result.mails[row.address]
    events = timeline(result.db, mail)
    assert [event["type"] for event in events] == row.types
    assert [event["attempt"] for event in events] == list(range(1, row.attempts + 1))
    words = events[-1]["reply"]
    assert words.startswith(row.words.strip())
    for event in events[:-1]:
        assert event["reply"]
        assert event["reason"]
    for offered in result.smtp.offered[row.address]:
        assert offered["Message-ID"] == mail["messageId"]
    if row.reason:
        assert_failed(result, row, mail, words)
    else:
        assert len(result.smtp.taken[row.address]) == 1
        assert result.db.failed_emails.count_documents({"_id": mail["_id"]}) == 0


def assert_failed(result: Result, row: Row, mail: dict[str, Any], words: str) -> None:
    failed = result.db.failed_emails.find_one({"_id": mail["_id"]})
    assert (failed["reason"], failed["attempts"]) == (row.reason, row.attempts)
    assert failed["error"] == words
    assert failed["lastAttemptDate"] >= mail["createdAt"]
    for name in ("userId", "email", "template", "sessionId", "messageId"):
        assert failed[name] == mail[name]
    assert result.smtp.taken[row.address] == []


def assert_unharmed(result: Result, address: str) -> None:
    """It came once, at the first attempt."""
    mail = result.mails[address]
    assert [taken["Message-ID"] for taken in result.smtp.taken[address]] == [mail["messageId"]]
    events = timeline(result.db, mail)
    assert [(event["type"], event["attempt"]) for event in events] == [("sent", 1)]


def test_connections_are_kept_and_no_more_of_them_than_allowed(pipelined: Result) -> None:
    assert pipelined.smtp.most_open <= 4
    connections = {taken.connection for _, taken in pipelined.smtp.arrived}
    assert len(connections) < len(pipelined.smtp.arrived)
