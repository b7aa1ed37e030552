"""Open pages ask 200 times a second while an activation runs: not one of them is refused."""

import os

from benchmarks.open_pages import ASKED, ask_steadily
from tests.support.ledger import assert_adds_up
from tests.support.waiting import until

RATE = 200
SECONDS = 120 if os.environ.get("CHAOS") else 10
MAIL_CONNECTIONS = 4
MAILS_PER_SECOND = 200
LEADS = MAILS_PER_SECOND // 2 * SECONDS


def test_a_steady_load_beside_an_activation(db, smtp, new_server, admin, new_leads, sign_in):
    new_leads(LEADS)
    smtp.delay = MAIL_CONNECTIONS / MAILS_PER_SECOND
    server = new_server(EMAIL_CONNECTIONS=str(MAIL_CONNECTIONS // 2), NOTIFY_AFTER_SECONDS="3600")
    program = sign_in(server)
    session_id = program.activate()
    paths = [path.format(session=session_id) for path in ASKED]
    headers = {"Authorization": program.http.headers["Authorization"]}
    answers = ask_steadily(server.port, paths, headers, RATE, SECONDS)
    assert answers.statuses == {200: RATE * SECONDS}
    until(lambda: db.jobs.find_one({"_id": session_id})["status"] == "completed", 60)
    assert_adds_up(db, session_id, LEADS)
