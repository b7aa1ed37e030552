"""The mail server is away, or worse, there and silent: mail waits, and nobody else does."""

import pytest

from tests.support.ledger import assert_adds_up, extra_mails
from tests.support.scripted_smtp import HANG, Stage
from tests.support.waiting import until

LEADS = 600
CONNECTIONS = 4
PAGES = [
    "/crm/leads",
    "/crm/email-queue",
    "/crm/email-queue/status",
    "/crm/email-queue/health",
    "/crm/activation/active",
    "/readyz",
]


def health(program):
    answer = program.get("/crm/email-queue/health")
    assert answer.ok, answer.text
    return answer.json()["data"]


@pytest.mark.parametrize("goodbye", [True, False], ids=["shut-down", "crashed"])
def test_the_mail_server_is_away_for_a_while(
    goodbye, db, scripted_smtp, new_server, admin, new_leads, sign_in
):
    smtp = scripted_smtp
    smtp.delay = 0.02
    new_leads(LEADS)
    program = sign_in(new_server(WEB_CONCURRENCY="2", EMAIL_CONNECTIONS=str(CONNECTIONS)))
    session_id = program.activate()
    until(lambda: smtp.count > 50)
    smtp.stop(goodbye)
    told = until(lambda: health(program)["state"] == "outage" and health(program))
    assert told["trouble"]
    assert told["text"].startswith("The mail server does not answer since")
    assert smtp.count < LEADS

    smtp.start()
    until(lambda: db.jobs.find_one({"_id": session_id})["status"] == "completed", 60)
    until(lambda: not health(program)["trouble"], what="the banner goes")
    assert_adds_up(db, session_id, LEADS)
    assert db.failed_emails.count_documents({}) == 0
    assert len(smtp.taken) == LEADS
    extra, spent = extra_mails(smtp), db.events.distinct("mailId", {"attempt": {"$gt": 1}})
    if goodbye:
        assert (extra, spent) == ({}, [])
    else:
        # What was on its way when the server crashed: at most one for each connection of two processes.
        assert len(extra) <= len(spent) <= 2 * CONNECTIONS
        assert db.events.count_documents({"attempt": {"$gt": 2}}) == 0


@pytest.mark.parametrize("stage", [Stage.CONNECT, Stage.RCPT, Stage.END])
def test_pages_answer_while_the_mail_server_hangs(
    stage, db, scripted_smtp, new_server, admin, new_leads, sign_in
):
    scripted_smtp.rule(stage, HANG)
    new_leads(50)
    server = new_server(
        WEB_CONCURRENCY="1", EMAIL_CONNECTIONS=str(CONNECTIONS), EMAIL_LEASE_SECONDS="60"
    )
    program = sign_in(server)
    program.activate()
    until(lambda: len(scripted_smtp.open) == CONNECTIONS, what="every connection hangs")
    for path in PAGES * 3:
        # Each connection hangs for 10 s and more.
        assert program.http.get(server.url + path, timeout=3).ok
    assert len(scripted_smtp.open) == CONNECTIONS
    assert scripted_smtp.count == 0
