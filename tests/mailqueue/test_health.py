"""The one sentence about the queue."""

from datetime import UTC, datetime, timedelta

import pytest
from bson import ObjectId

from crmapp.clock import now
from crmapp.mailqueue import control, health, queue

ANN = {"id": ObjectId(), "name": "ann@example.com"}


@pytest.fixture
def worker(db):
    control.seen(db, "host:1", 42)


@pytest.fixture
def put(db):
    def put(count=1, ago=12):
        time = now() - timedelta(seconds=ago)
        queue.enqueue(
            db,
            [
                queue.new_mail("invitation", ObjectId(), "a@x.de", None, "crm.example.com", time)
                for _ in range(count)
            ],
        )

    return put


def sentence(db):
    return health.plain(health.current(db)["text"])


def state(db):
    found = health.current(db)
    return found["state"], found["trouble"]


def test_nothing_to_send(db, worker):
    assert sentence(db) == "Nothing to send"
    assert state(db) == ("empty", False)


def test_how_fast_and_until_when(db, worker, put):
    put(420)
    assert sentence(db).startswith("Sending 42 a minute, oldest waiting 12 s, done about ")
    assert state(db) == ("sending", False)


def test_mail_that_waits_for_its_next_attempt(db, worker, put):
    put(1, ago=-90)
    db.pending_emails.update_one({}, {"$set": {"attempts": 1}})
    assert sentence(db) == "Waiting to try again in 1 min"
    assert state(db) == ("waiting", False)


def test_mail_of_an_activation_that_can_still_be_undone(db, worker, put):
    put(1, ago=-90)
    assert sentence(db) == "Held back so that it can be undone, leaves in 1 min"
    assert state(db) == ("waiting", False)


def test_who_paused_it_and_when(db, worker, put):
    put()
    assert control.pause(db, ANN)
    assert not control.pause(db, {"id": ObjectId(), "name": "bob@example.com"})
    assert sentence(db) == "Paused by ann@example.com 0 s ago"
    assert state(db) == ("paused", True)
    assert control.resume(db)
    assert not control.resume(db)
    assert state(db)[0] == "sending"


def test_a_mail_server_that_cannot_be_used(db, worker, put):
    put()
    control.note_outage(db, "The mail server refuses our sign-in", "535 no", 40.3)
    since = datetime.now(UTC).strftime("%H:%M UTC")
    assert sentence(db) == (
        f"The mail server refuses our sign-in since {since}; nothing was lost, next try in 40 s"
    )
    assert state(db) == ("outage", True)
    control.note_recovery(db)
    assert state(db)[0] == "sending"


def test_an_outage_keeps_its_beginning(db, worker):
    control.note_outage(db, "The mail server does not answer", "refused", 1)
    began = control.outage(db)["since"]
    control.note_outage(db, "The mail server does not answer", "refused", 2)
    assert control.outage(db)["since"] == began


def test_an_outage_that_nobody_notes_any_more_is_over(db, worker):
    control.note_outage(db, "The mail server does not answer", "refused", -121)
    assert state(db)[0] == "empty"


def test_a_server_that_asked_for_less(db, worker, put):
    put()
    control.note_slowed(db, "450 4.7.1 too fast")
    assert sentence(db).endswith("slowly, because the mail server says: 450 4.7.1 too fast")
    assert state(db) == ("slowed", False)
    control.note_full_speed(db)
    assert state(db)[0] == "sending"


def test_nobody_is_there_to_send(db, put):
    assert sentence(db) == "No worker has been seen yet: nothing is sent until one runs"
    db.workers.insert_one({"_id": "host:1", "seenAt": now() - timedelta(seconds=150)})
    assert sentence(db) == "No worker has been seen for 2 min"
    assert state(db) == ("no_worker", True)


def test_the_rate_is_that_of_all_workers_that_are_alive(db, worker):
    control.seen(db, "host:2", 8)
    db.workers.insert_one(
        {"_id": "dead:1", "seenAt": now() - timedelta(minutes=5), "sentLastMinute": 99}
    )
    assert control.sent_last_minute(db) == 50


def test_pages_are_told_of_a_change_and_only_of_a_change(app, db, worker):
    health.refresh(db)
    first = db.projections.find_one(health.KEY)
    health.refresh(db)
    assert db.projections.find_one(health.KEY)["rev"] == first["rev"]
    control.pause(db, ANN)
    health.refresh(db)
    assert db.projections.find_one(health.KEY)["rev"] == first["rev"] + 1
