"""How many mails there are, at any size."""

import pytest
from bson import ObjectId

from crmapp.clock import now
from crmapp.mailqueue import counts, queue


@pytest.fixture
def many(db, monkeypatch):
    """A queue that is too long to be counted one by one: 30 waiting, 20 claimed, 25 failed, 5 of them dropped."""
    monkeypatch.setattr(counts, "EXACT_UP_TO", 10)
    mails = [
        queue.new_mail("invitation", ObjectId(), "a@example.com", "s", "crm.example.com", now())
        for _ in range(50)
    ]
    queue.enqueue(db, mails)
    queue.claim(db, 20, 60)
    db.failed_emails.insert_many([{"dropped": number < 5} for number in range(25)])


EXPECTED = {"pending": 30, "processing": 20, "failed": 20, "total": 50}


def test_a_long_queue_is_counted_without_looking_at_every_mail(db, many):
    assert counts.of_queue(db) == EXPECTED


def test_a_short_queue_is_counted_the_same(db, many, monkeypatch):
    monkeypatch.setattr(counts, "EXACT_UP_TO", 10_000)
    assert counts.of_queue(db) == EXPECTED


def test_what_mongodb_notes_wrongly_is_found_and_corrected(db, many):
    db.mail_control.insert_one({"_id": "drift", "pending_emails": -7, "failed_emails": 3})
    assert counts.of_queue(db)["total"] == 43
    counts.measure_drift(db)
    assert counts.of_queue(db) == EXPECTED
