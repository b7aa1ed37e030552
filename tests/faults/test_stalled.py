"""Two runners, one of them stopped for longer than its lease: nothing is done twice, no update is lost."""

import os
import random
import signal

import pytest

from tests.support.ledger import assert_adds_up, extra_mails
from tests.support.waiting import until

ROUNDS = 20 if os.environ.get("CHAOS") else 3
LEADS = 1500


@pytest.mark.parametrize("_round", range(ROUNDS))
def test_a_stalled_runner_wakes_up_late(_round, db, smtp, new_server, admin, new_leads, sign_in):
    new_leads(LEADS)
    first = new_server(WEB_CONCURRENCY="1", JOB_LEASE_SECONDS="1")
    session_id = sign_in(first).activate()

    def job():
        return db.jobs.find_one({"_id": session_id})

    reached = random.randrange(0, LEADS // 3)
    until(lambda: job()["counts"]["activated"] >= reached)
    (stalled,) = first.worker_pids()
    os.kill(stalled, signal.SIGSTOP)
    try:
        second = new_server(WEB_CONCURRENCY="1", JOB_LEASE_SECONDS="1")
        until(lambda: job()["phase"] in ("mailing", "over"), 30)
    finally:
        os.kill(stalled, signal.SIGCONT)
    # Both go on with the mail; what the stalled one had claimed comes back when its lease lapses.
    until(lambda: job()["status"] == "completed", 60)
    assert second.is_ready()
    assert_adds_up(db, session_id, LEADS)
    assert len(smtp.taken) == LEADS
    assert set(extra_mails(smtp).values()) <= {1}
