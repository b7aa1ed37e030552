"""The sender is killed again and again: nobody is left without mail, and who gets it twice can be told why."""

import os
import random
import signal
import time

from bson import ObjectId

from crmapp.mailqueue import control
from tests.support.ledger import assert_adds_up, extra_mails
from tests.support.waiting import until

KILLS = 60 if os.environ.get("CHAOS") else 20
LEADS = 2000
CONNECTIONS = 10
# How long the mail server takes over a mail, in seconds.
QUICK, SLOW = 0.05, 0.4
ANN = {"id": ObjectId(), "name": "ann@example.com"}


def test_kills_while_mail_is_leaving(db, scripted_smtp, new_server, admin, new_leads, sign_in):
    smtp = scripted_smtp
    new_leads(LEADS)
    control.pause(db, ANN)
    server = new_server(
        EMAIL_CONNECTIONS=str(CONNECTIONS),
        WEB_CONCURRENCY="1",
        JOB_LEASE_SECONDS="1",
        # On a slow machine its end would be told by one more mail.
        NOTIFY_AFTER_SECONDS="3600",
    )
    session_id = sign_in(server).activate()
    until(lambda: db.jobs.find_one({"_id": session_id})["phase"] in ("mailing", "over"))
    server.kill()
    control.resume(db)

    open_at_kills = kills = 0
    for left in range(KILLS - 1, -1, -1):
        taken = smtp.count
        smtp.delay = QUICK

        def may_be_killed(share=LEADS * left // KILLS):
            # There is to be mail left for the kills that are to come.
            smtp.delay = QUICK if db.pending_emails.estimated_document_count() > share else SLOW
            # What is hit by two kills may come three times; no queue can help that.
            return not anything_sent_again(db)

        server.start(wait=False)
        until(lambda taken=taken: smtp.count > taken, seconds=40, what="mail is leaving")
        time.sleep(random.uniform(0, 0.5))
        until(may_be_killed, 40, "no mail is with its second sender")
        os.killpg(server.pid, signal.SIGSTOP)
        open_at_kills += len(smtp.open)
        server.kill()
        kills += 1
        if not db.pending_emails.find_one({}):
            break

    assert kills >= 3 * KILLS // 4
    smtp.delay = 0.0
    server.start()
    until(lambda: db.jobs.find_one({"_id": session_id})["status"] == "completed", 60)
    # What was sent is on record before it leaves the queue, which nobody waits for.
    until(lambda: not db.pending_emails.find_one({}), what="the queue is empty")
    assert_adds_up(db, session_id, LEADS)
    assert db.failed_emails.count_documents({}) == 0
    assert sum(address.startswith("lead") for address in smtp.taken) == LEADS
    extra = extra_mails(smtp)
    assert set(extra.values()) <= {1}
    assert sum(extra.values()) <= open_at_kills <= KILLS * CONNECTIONS
    for address in extra:
        lapsed = db.events.find_one({"email": address, "type": "lapsed"})
        assert "may have been sent" in lapsed["reply"]
        assert lapsed["messageId"] == smtp.taken[address][0]["Message-ID"]


def anything_sent_again(db):
    """Whether a mail whose sender was killed is with another one now."""
    lapsed = db.events.distinct("mailId", {"type": "lapsed"})
    return db.pending_emails.find_one({"_id": {"$in": lapsed}, "status": "processing"})
