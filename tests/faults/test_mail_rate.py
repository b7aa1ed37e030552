"""Several workers share one queue, a rate and the sessions' turns."""

import os

from crmapp.mailqueue.rate import BURST_SECONDS, GOOD_FOR_SECONDS
from tests.support.ledger import extra_mails
from tests.support.mails import queue_mails
from tests.support.waiting import until

WORKERS = 4
LIMIT = 300
# Permits become free evenly, so a part of a minute shows the same, and sooner.
WINDOW = 60.0 if os.environ.get("CHAOS") else 20.0
SLACK = BURST_SECONDS + GOOD_FOR_SECONDS
MOST = LIMIT * (WINDOW + SLACK) / (60 + SLACK)


def addresses(count, name="lead"):
    return [f"{name}{number}@example.com" for number in range(count)]


def test_four_workers_drain_one_queue_and_nothing_comes_twice(db, scripted_smtp, new_worker):
    mails = 2000
    scripted_smtp.delay = 0.05
    queue_mails(db, addresses(mails))
    for _ in range(WORKERS):
        new_worker(EMAIL_CONNECTIONS="4")
    until(lambda: not db.pending_emails.find_one({}), 60, "the queue is empty")
    assert len(scripted_smtp.taken) == mails
    assert extra_mails(scripted_smtp) == {}
    assert db.events.count_documents({"type": "sent", "attempt": 1}) == mails
    assert db.events.count_documents({}) == mails
    # All of them had a part in it.
    assert scripted_smtp.most_open > 3 * 4


def test_the_limit_holds_over_any_minute_for_all_workers_together(db, scripted_smtp, new_worker):
    mails = int(1.08 * MOST)
    queue_mails(db, addresses(mails))
    for _ in range(WORKERS):
        new_worker(EMAIL_CONNECTIONS="4", MAIL_MAX_PER_MINUTE=str(LIMIT))
    until(lambda: not db.pending_emails.find_one({}), 90, "the queue is empty")
    assert extra_mails(scripted_smtp) == {}
    times = [taken.at for _, taken in scripted_smtp.arrived]
    assert len(times) == mails
    assert times[-1] - times[0] > WINDOW - SLACK
    windows = [sum(begin <= at < begin + WINDOW for at in times) for begin in times]
    assert 0.8 * MOST <= max(windows) <= MOST


def test_five_mails_do_not_wait_behind_five_thousand(db, scripted_smtp, new_worker):
    scripted_smtp.delay = 0.02
    queue_mails(db, addresses(5000), "activation_1700000000000_many")
    few, later = addresses(5, "few"), addresses(5, "later")
    queue_mails(db, few, "activation_1700000000000_few")
    new_worker()
    until(lambda: scripted_smtp.count > 300)
    sent_before = scripted_smtp.count
    # Another one, while many are on their way.
    queue_mails(db, later, "activation_1700000000000_later")
    until(lambda: all(scripted_smtp.taken.get(address) for address in few + later))
    order = [address for address, _ in list(scripted_smtp.arrived)]
    assert max(map(order.index, few)) < 300
    assert max(map(order.index, later)) - sent_before < 500
