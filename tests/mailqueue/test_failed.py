"""Trying failed mail again and giving it up, by what an administrator asks for."""

import threading

import pytest
from bson import ObjectId

from crmapp.clock import now
from crmapp.jobs import jobs
from crmapp.mailqueue import failed as desk
from crmapp.mailqueue import queue
from tests.mailqueue.desk import events, failed, note_sent, pending, sent

RETRY, DROP = "/crm/email-queue/failed/retry", "/crm/email-queue/failed/drop"
ANN = {"id": ObjectId(), "name": "ann@example.com"}
BOB = {"id": ObjectId(), "name": "bob@example.com"}


def ids(*mails):
    return {"ids": [str(mail["_id"]) for mail in mails]}


def test_a_retried_mail_is_as_if_it_had_never_been_tried(api, admin, db):
    mail = failed(db, attempts=5)
    answer = api.post(RETRY, ids(mail)).json["data"]
    assert answer == {"requeued": 1, "skipped": {}, "msg": "Requeued 1"}
    assert db.failed_emails.count_documents({}) == 0
    (queued,) = db.pending_emails.find()
    for name in ("_id", "messageId", "email", "userId", "sessionId", "template", "createdAt"):
        assert queued[name] == mail[name]
    assert (queued["status"], queued["attempts"], queued["throttles"]) == ("pending", 0, 0)
    assert queued["visibleAt"] == queued["requeuedAt"] > mail["createdAt"]
    (event,) = events(db, "requeued")
    assert (event["mailId"], event["by"]) == (mail["_id"], {"id": admin.key, "name": admin.email})


def test_what_was_sent_is_not_sent_again(api, db):
    open_ones = [failed(db, f"lead{number}@example.com") for number in range(3)]
    taken = [failed(db, f"taken{number}@example.com") for number in range(2)]
    for mail in taken:
        note_sent(db, mail)
    answer = api.post(RETRY, {"filter": {}}).json["data"]
    assert answer["msg"] == "Requeued 3, skipped 2: already sent"
    assert answer["skipped"] == {"already_sent": 2}
    assert {mail["_id"] for mail in db.pending_emails.find()} == {mail["_id"] for mail in open_ones}
    assert db.failed_emails.count_documents({}) == 0


def test_each_reason_to_skip_is_told(api, db):
    gone, waiting, done = {"_id": ObjectId()}, pending(db), sent(db)
    dropped, open_one = failed(db, dropped=True), failed(db)
    answer = api.post(RETRY, ids(gone, waiting, done, dropped, open_one)).json["data"]
    assert answer["skipped"] == {
        "not_found": 1,
        "already_queued": 1,
        "already_sent": 1,
        "dropped": 1,
    }
    assert answer["msg"].startswith("Requeued 1, skipped 4: ")
    assert "1 already queued" in answer["msg"]
    assert db.failed_emails.distinct("_id") == [dropped["_id"]]


def test_all_that_match_and_no_others(api, db):
    full = [failed(db, reason="mailbox_full") for _ in range(3)]
    other = failed(db, reason="timeout")
    assert api.post(RETRY, {"filter": {"reason": "mailbox_full"}}).json["data"]["requeued"] == 3
    assert db.failed_emails.distinct("_id") == [other["_id"]]
    assert db.pending_emails.count_documents({}) == len(full)


def test_more_than_a_chunk(db, app, monkeypatch):
    monkeypatch.setattr(desk, "CHUNK", 4)
    mails = [failed(db, f"lead{number}@example.com") for number in range(11)]
    assert desk.retry(db, {}, ANN).done == 11
    assert sorted(db.pending_emails.distinct("_id")) == [mail["_id"] for mail in mails]
    assert len(events(db, "requeued")) == 11


def test_two_administrators_at_once_send_nothing_twice(db, app):
    for number in range(300):
        failed(db, f"lead{number}@example.com")
    wanted, together, outcomes = db.failed_emails.distinct("_id"), threading.Barrier(2), []

    def press(by):
        with app.app_context():
            together.wait()
            outcomes.append(desk.retry(db, wanted, by))

    threads = [threading.Thread(target=press, args=(by,)) for by in (ANN, BOB)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(outcome.done for outcome in outcomes) == 300
    assert sum(outcome.skipped[desk.Skip.ALREADY_QUEUED] for outcome in outcomes) == 300
    assert len(events(db, "requeued")) == db.pending_emails.count_documents({}) == 300
    assert db.failed_emails.count_documents({}) == 0


def test_a_mail_that_fails_again_while_it_is_retried_is_not_lost(db, app, monkeypatch):
    mail = failed(db)

    def insert_and_fail(db, mails):
        queued_already = insert(db, mails)
        (claimed,) = queue.claim(db, 10, 60)
        queue.settle_failed(db, claimed, "mailbox_full", "552 Full")
        return queued_already

    insert = desk._insert
    monkeypatch.setattr(desk, "_insert", insert_and_fail)
    assert desk.retry(db, [mail["_id"]], ANN).done == 1
    assert db.pending_emails.count_documents({}) == 0
    (again,) = db.failed_emails.find()
    assert (again["_id"], again["reason"]) == (mail["_id"], "mailbox_full")


def test_a_retry_that_was_cut_off_is_finished_by_the_next(db, app):
    mail = failed(db)
    queue.enqueue(db, [desk.requeued(mail)])
    outcome = desk.retry(db, {}, ANN)
    assert (outcome.done, outcome.told_as("Requeued")) == (
        0,
        "Requeued 0, skipped 1: already queued",
    )
    assert db.failed_emails.count_documents({}) == 0
    assert db.pending_emails.count_documents({}) == 1


def test_a_mail_on_its_way_to_the_failed_ones_stays_there(db, app):
    mail = failed(db)
    moving = {**desk.requeued(mail), "status": "processing", "token": "x", "failure": {}}
    queue.enqueue(db, [moving])
    assert desk.retry(db, [mail["_id"]], ANN).done == 0
    assert db.failed_emails.distinct("_id") == [mail["_id"]]


def test_dropping_keeps_the_mail_and_says_who(api, admin, db):
    mail = failed(db)
    answer = api.post(DROP, ids(mail)).json["data"]
    assert answer == {"dropped": 1, "skipped": {}, "msg": "Dropped 1"}
    (kept,) = db.failed_emails.find()
    assert (kept["dropped"], kept["droppedBy"]["name"]) == (True, admin.email)
    assert kept["droppedAt"] <= now()
    (event,) = events(db, "dropped")
    assert event["by"]["id"] == admin.key
    again = api.post(DROP, ids(mail)).json["data"]
    assert (again["dropped"], again["skipped"]) == (0, {"dropped": 1})
    assert len(events(db, "dropped")) == 1


def test_dropping_one(api, db):
    mail = failed(db)
    path = f"/crm/email-queue/failed/{mail['_id']}"
    assert api.client.delete(path, headers=api.headers).json["data"]["dropped"] == 1
    for gone in (f"/crm/email-queue/failed/{ObjectId()}", "/crm/email-queue/failed/nonsense"):
        answer = api.client.delete(gone, headers=api.headers)
        assert answer.status_code == 404
        assert len(answer.json["msg"].split()) > 3


def test_every_page_is_told(api, db, site):
    failed(db)
    with site.app_context():
        desk.announce(db)
    before = db.projections.find_one({"_id": "emailQueue"})
    bell = site.extensions["live"].hub.bell(queue.BELL)
    bell.clear()
    api.post(RETRY, {"filter": {}})
    after = db.projections.find_one({"_id": "emailQueue"})
    assert (before["failed"], before["pending"]) == (1, 0)
    assert (after["failed"], after["pending"]) == (0, 1)
    assert bell.wait(timeout=5)


def test_the_session_shows_it(api, db, site):
    session_id = "activation_1700000000000_abcd"
    job = jobs.new_job(session_id, "activation", ObjectId(), "Ann", {}, 1)
    job |= {"status": "completed", "phase": "over", "workedAt": now(), "startTime": now()}
    job["counts"]["activated"] = 1
    db.jobs.insert_one(job)
    stored = {
        **job["counts"],
        "userId": job["userId"],
        "type": "activation",
        "status": "completed",
        "emailsSent": 0,
        "emailsFailed": 1,
        "emailsPending": 0,
    }
    stored |= {"sessionId": session_id, "completed": True, "rev": 7, "createdAt": now()}
    db.activation_progress.insert_one(stored)
    failed(db, sessionId=session_id)
    api.post(RETRY, {"filter": {}})
    shown = db.activation_progress.find_one()
    assert (shown["emailsFailed"], shown["emailsPending"], shown["rev"]) == (0, 1, 8)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "either ids or a filter"),
        ({"ids": [], "filter": {}}, "either ids or a filter"),
        ({"ids": "x"}, "must be a list of ids"),
        ({"ids": ["nonsense"]}, "not the id of a mail"),
        ({"filter": []}, "filter must be an object"),
        ({"filter": {"$where": "1"}}, "There is no filter"),
        ({"filter": {"reason": "nonsense"}}, "reason must be one of"),
        ({"filter": {"q": {"$ne": 1}}}, "q must be text"),
    ],
)
def test_what_means_nothing_is_refused(api, db, body, words):
    failed(db)
    for path in (RETRY, DROP):
        answer = api.post(path, body)
        assert answer.status_code == 400
        assert words in answer.json["msg"]
    assert db.failed_emails.count_documents({"dropped": False}) == 1
