"""The server is killed again and again in the middle of an activation, and loses nothing."""

import os
import random
import time

from tests.support.ledger import assert_adds_up, extra_mails
from tests.support.waiting import until

KILLS = 100 if os.environ.get("CHAOS") else 20
LEADS = 2000
CONNECTIONS = 4


def test_twenty_kills_and_the_ledger_adds_up(db, smtp, new_server, admin, new_leads, sign_in):
    new_leads(LEADS)
    server = new_server(EMAIL_CONNECTIONS=str(CONNECTIONS), WEB_CONCURRENCY="1")
    session_id = sign_in(server).activate()
    kills_in_the_middle = 0
    for _ in range(KILLS):
        time.sleep(random.uniform(0, 0.25))
        server.kill()
        progress = db.activation_progress.find_one({"sessionId": session_id})
        kills_in_the_middle += not progress["completed"]
        server.start()
    assert kills_in_the_middle >= KILLS / 4
    until(lambda: db.jobs.find_one({"_id": session_id})["status"] == "completed", 60)
    assert_adds_up(db, session_id, LEADS)
    assert len(smtp.taken) == LEADS
    extra = extra_mails(smtp)
    assert set(extra.values()) <= {1}
    assert sum(extra.values()) <= KILLS * CONNECTIONS
