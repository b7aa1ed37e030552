"""The server is killed again and again in the middle of an activation, and loses nothing."""

import os
import random
import time

from tests.support.ledger import assert_adds_up, extra_mails
from tests.support.waiting import until

KILLS = 100 if os.environ.get("CHAOS") else 20
LEADS = 2000
CONNECTIONS = 4
DONE = ("mailing", "over")


def test_kills_at_random_moments_and_the_ledger_adds_up(
    db, smtp, new_server, admin, new_leads, sign_in
):
    new_leads(LEADS)
    server = new_server(
        EMAIL_CONNECTIONS=str(CONNECTIONS),
        WEB_CONCURRENCY="1",
        JOB_LEASE_SECONDS="1",
        # On a slow machine its end would be told by one more mail.
        NOTIFY_AFTER_SECONDS="3600",
    )
    session_id = sign_in(server).activate()

    def job():
        return db.jobs.find_one({"_id": session_id})

    kills_while_users_were_created = 0
    for _ in range(KILLS):
        time.sleep(random.uniform(0, 0.02 if job()["phase"] == "working" else 0.25))
        server.kill()
        killed = job()
        kills_while_users_were_created += killed["phase"] == "working"
        server.start(wait=killed["phase"] in DONE)
        until(lambda killed=killed: job()["phase"] in DONE or job()["lease"] != killed["lease"])
    assert kills_while_users_were_created >= 3
    assert job()["takeovers"] >= 3
    until(lambda: job()["status"] == "completed", 60)
    assert_adds_up(db, session_id, LEADS)
    assert len(smtp.taken) == LEADS
    extra = extra_mails(smtp)
    assert set(extra.values()) <= {1}
    assert sum(extra.values()) <= KILLS * CONNECTIONS
