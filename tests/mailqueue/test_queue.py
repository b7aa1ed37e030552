"""Claiming and settling: one sender at a time, and what a dead one began is finished."""

import threading
from datetime import timedelta

import pytest
from bson import ObjectId
from pymongo import MongoClient
from pymongo.monitoring import CommandListener

from crmapp.clock import now
from crmapp.mailqueue import counts, queue

LEASE = 60


@pytest.fixture
def enqueue(db):
    """Puts mails into the queue, the first one the oldest."""

    def put(count=1, session_id="activation_1700000000000_abcd"):
        start = now() - timedelta(seconds=count)
        mails = [
            queue.new_mail(
                "invitation",
                ObjectId(),
                f"lead{number}@example.com",
                session_id,
                "crm.example.com",
                start + timedelta(seconds=number),
            )
            for number in range(count)
        ]
        queue.enqueue(db, mails)
        return mails

    return put


def let_leases_lapse(db):
    db.pending_emails.update_many(
        {"status": "processing"}, {"$set": {"visibleAt": now() - timedelta(seconds=1)}}
    )


def claim_one(db):
    (mail,) = queue.claim(db, 10, LEASE)
    return mail


def settle_sent(db, mail, reply):
    queue.note_sent(db, [(mail, reply)])
    queue.remove_sent(db, [mail])


def events(db, type):
    return list(db.events.find({"type": type}).sort("at", 1))


def test_the_oldest_are_claimed_first_and_only_once(db, enqueue):
    mails = enqueue(5)
    first = queue.claim(db, 3, LEASE)
    rest = queue.claim(db, 3, LEASE)
    assert [mail["_id"] for mail in first + rest] == [mail["_id"] for mail in mails]
    assert queue.claim(db, 3, LEASE) == []
    assert counts.of_queue(db) == {"pending": 0, "processing": 5, "failed": 0, "total": 5}


def test_senders_that_claim_at_once_share_the_mails(db, enqueue):
    enqueue(200)
    together, claimed = threading.Barrier(4), []

    def claim_all():
        together.wait()
        while mails := queue.claim(db, 10, LEASE):
            claimed.extend(mail["_id"] for mail in mails)
            with_token = {
                "_id": {"$in": [mail["_id"] for mail in mails]},
                "token": mails[0]["token"],
            }
            assert db.pending_emails.count_documents(with_token) == len(mails)

    threads = [threading.Thread(target=claim_all) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Who loses every mail of a batch to another sees an empty queue: the bell and the sweep ask again.
    claimed += [mail["_id"] for mail in queue.claim(db, 200, LEASE)]
    assert len(claimed) == len(set(claimed)) == 200


def test_sessions_take_turns_so_that_a_few_do_not_wait_behind_many(db, enqueue):
    enqueue(300, "activation_1700000000000_many")
    few = enqueue(5, "activation_1700000000000_few") + enqueue(1, None)
    turns = queue.Turns()
    claimed = [mail["_id"] for _ in range(3) for mail in queue.claim(db, 50, LEASE, turns)]
    assert {mail["_id"] for mail in few} <= set(claimed)
    assert len(claimed) == 150


def test_a_claim_is_filled_from_as_many_sessions_as_it_takes(db, enqueue):
    for number in range(30):
        enqueue(1, f"activation_1700000000000_{number}")
    turns = queue.Turns()
    assert [len(queue.claim(db, 20, LEASE, turns)) for _ in range(2)] == [20, 10]


def test_a_session_that_comes_new_is_found_while_others_have_mail(db, enqueue, monkeypatch):
    monkeypatch.setattr(queue, "LOOK_SECONDS", 0)
    enqueue(100, "activation_1700000000000_old")
    turns = queue.Turns()
    queue.claim(db, 10, LEASE, turns)
    (new,) = enqueue(1, "activation_1700000000000_new")
    assert new["_id"] in [mail["_id"] for mail in queue.claim(db, 10, LEASE, turns)]


def test_who_looked_before_another_claimed_gets_nothing(db, environ, enqueue):
    enqueue(5)
    rival = []

    class ClaimsFirst(CommandListener):
        """Lets the rival claim between the other's look and its claim."""

        def started(self, event):
            if event.command_name == "update" and not rival:
                rival.extend(queue.claim(db, 10, LEASE))

        def succeeded(self, event):
            pass

        def failed(self, event):
            pass

    client = MongoClient(environ["MONGODB_URI"], tz_aware=True, event_listeners=[ClaimsFirst()])
    assert queue.claim(client.get_default_database(), 10, LEASE) == []
    assert len(rival) == 5
    client.close()


def test_what_was_sent_leaves_the_queue_and_stays_in_the_timeline(db, enqueue):
    (queued,) = enqueue()
    settle_sent(db, claim_one(db), "250 2.0.0 Taken")
    assert db.pending_emails.count_documents({}) == 0
    (event,) = events(db, "sent")
    assert event["messageId"] == queued["messageId"]
    assert (event["reply"], event["attempt"]) == ("250 2.0.0 Taken", 1)
    assert queue.count_of_session(db, queued["sessionId"]) == (1, 0, False)


def test_a_lapsed_lease_gives_the_same_mail_to_another(db, enqueue):
    (queued,) = enqueue()
    dead = claim_one(db)
    assert queue.claim(db, 10, LEASE) == []
    let_leases_lapse(db)
    heir = claim_one(db)
    assert heir["messageId"] == queued["messageId"]
    assert heir["token"] != dead["token"]


def test_the_timeline_says_that_a_sender_stopped_and_that_the_mail_may_come_twice(db, enqueue):
    (queued,) = enqueue()
    claim_one(db)
    let_leases_lapse(db)
    assert claim_one(db)["attempts"] == 0
    (event,) = events(db, "lapsed")
    assert (event["mailId"], event["messageId"]) == (queued["_id"], queued["messageId"])
    assert "may have been sent" in event["reply"]


def test_a_mail_that_was_sent_and_then_retried_is_not_sent_again(db, enqueue):
    (queued,) = enqueue()
    settle_sent(db, claim_one(db), "250 OK")
    # Of two administrators, the slower one puts it back after it was sent.
    queue.enqueue(db, [{**queued, "requeuedAt": now()}])
    assert queue.claim(db, 10, LEASE) == []
    assert db.pending_emails.count_documents({}) == 0


def test_a_mail_that_is_held_back_spends_no_attempt(db, enqueue):
    enqueue()
    queue.hold_back(db, claim_one(db), 1000, "temporarily_refused_too_often", "450 too fast")
    (mail,) = db.pending_emails.find()
    assert (mail["attempts"], mail["throttles"]) == (0, 1)
    assert [event["reply"] for event in events(db, "deferred")] == ["450 too fast"]
    assert queue.claim(db, 10, LEASE) == []


@pytest.mark.parametrize(
    "settle",
    [
        lambda db, mail: queue.settle_failed(db, mail, "mailbox_unknown", "550 No"),
        lambda db, mail: queue.settle_void(db, mail, "the user is gone"),
        lambda db, mail: queue.defer(db, mail, 30, "timeout", "timed out"),
        lambda db, mail: queue.release(db, [mail]),
        lambda db, mail: settle_sent(db, mail, "250 OK"),
    ],
    ids=["failed", "void", "defer", "release", "sent"],
)
def test_a_sender_that_wakes_up_late_settles_nothing(db, enqueue, settle):
    enqueue()
    late = claim_one(db)
    let_leases_lapse(db)
    heir = claim_one(db)
    settle(db, late)
    assert list(db.pending_emails.find()) == [heir]
    assert db.failed_emails.count_documents({}) == 0


def test_a_mail_that_two_senders_had_counts_once(db, enqueue):
    (queued,) = enqueue()
    late = claim_one(db)
    let_leases_lapse(db)
    heir = claim_one(db)
    settle_sent(db, late, "250 first")
    settle_sent(db, heir, "250 second")
    assert db.pending_emails.count_documents({}) == 0
    assert queue.count_of_session(db, queued["sessionId"]).sent == 1
    assert [event["reply"] for event in events(db, "sent")] == [
        "250 first",
        "sent again: 250 second",
    ]


def test_what_was_sent_before_its_sender_died_is_not_sent_again(db, enqueue):
    (queued,) = enqueue()
    mail = claim_one(db)
    # It died after the first of the two writes of settling.
    settle_sent(db, {**mail, "token": "of nobody"}, "250 OK")
    assert db.pending_emails.count_documents({}) == 1
    let_leases_lapse(db)
    assert queue.claim(db, 10, LEASE) == []
    assert db.pending_emails.count_documents({}) == 0
    assert queue.count_of_session(db, queued["sessionId"]) == (1, 0, False)


@pytest.mark.parametrize("moved", [False, True])
def test_a_failure_that_was_begun_is_finished(db, enqueue, moved):
    (queued,) = enqueue()
    mail = claim_one(db)
    failure = {
        "reason": "mailbox_unknown",
        "error": "550 No",
        "attempts": 1,
        "lastAttemptDate": now(),
    }
    db.pending_emails.update_one({"_id": mail["_id"]}, {"$set": {"failure": failure}})
    if moved:
        db.failed_emails.insert_one({**queued, **failure})
    let_leases_lapse(db)
    assert queue.claim(db, 10, LEASE) == []
    assert db.pending_emails.count_documents({}) == 0
    (failed,) = db.failed_emails.find()
    assert failed.items() >= failure.items()
    assert failed["email"] == queued["email"]


def test_a_mail_that_failed_keeps_why_and_whose_it_was(db, enqueue):
    (queued,) = enqueue()
    queue.settle_failed(db, claim_one(db), "mailbox_full", "552 5.2.2 Mailbox full")
    (failed,) = db.failed_emails.find()
    assert (failed["reason"], failed["error"]) == ("mailbox_full", "552 5.2.2 Mailbox full")
    assert failed["attempts"] == 1
    for name in ("_id", "userId", "email", "template", "sessionId", "messageId", "createdAt"):
        assert failed[name] == queued[name]
    assert queue.count_of_session(db, queued["sessionId"]) == (0, 1, False)
    assert counts.of_queue(db) == {"pending": 0, "processing": 0, "failed": 1, "total": 0}


def test_a_deferred_mail_waits_and_its_attempt_counts(db, enqueue):
    enqueue()
    queue.defer(db, claim_one(db), 1000, "timeout", "timed out")
    assert queue.claim(db, 10, LEASE) == []
    assert 990 < queue.seconds_to_next(db) <= 1000
    (mail,) = db.pending_emails.find()
    assert (mail["status"], mail["attempts"]) == ("pending", 1)
    assert [event["reason"] for event in events(db, "deferred")] == ["timeout"]


def test_a_released_mail_is_free_again_and_no_attempt_was_spent(db, enqueue):
    enqueue()
    queue.release(db, [claim_one(db)])
    assert claim_one(db)["attempts"] == 0
    assert db.events.count_documents({}) == 0


def test_an_empty_queue_is_looked_at_rarely(db):
    assert queue.seconds_to_next(db) > 1000
    assert counts.of_queue(db) == {"pending": 0, "processing": 0, "failed": 0, "total": 0}
