"""Who started a job is told of its end by mail, where the page cannot tell them."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from crmapp import notices
from crmapp.accounts import presence
from crmapp.clock import now
from crmapp.jobs import control, jobs, leases, progress
from crmapp.mailqueue import queue
from crmapp.mailqueue.letter import Unneeded
from tests.support.work import run_jobs

HOUR = timedelta(hours=1)


@pytest.fixture
def ended(app, db, admin, new_leads):
    """An activation whose users are there and whose mail has gone; `end` is still to be noticed."""

    def ended(seen=None, began=None, **changes):
        job = jobs.new_job(jobs.new_id("activation"), "activation", admin.key, admin.name, {}, 2)
        job |= {"status": "running", "phase": "mailing", "startTime": began or now()}
        job |= {"workedAt": now(), **changes}
        job["counts"] |= {"failed": 2}
        db.jobs.insert_one(job)
        db.users.update_one({"_id": admin.key}, {"$set": {"lastSeenAt": seen or now()}})
        progress.refresh(db, job["_id"])
        return job["_id"]

    return ended


def letters(db):
    mails = list(db.pending_emails.find({"template": notices.TEMPLATE}))
    return [letter for _, letter in notices.compose(db, mails)]


def test_nobody_who_is_there_is_mailed_about_a_short_job(db, ended):
    ended()
    assert db.jobs.find_one()["status"] == "completed"
    assert letters(db) == []


def test_a_long_job_is_told_of(db, ended, admin):
    job_id = ended(began=now() - HOUR)
    (letter,) = letters(db)
    assert letter.recipient == admin.email
    assert letter.subject == "Activation has completed"
    for text in (letter.text, letter.html):
        assert "0 of 2 leads went well, 2 failed." in text
        assert f"/crm/jobs/{job_id}" in text


def test_so_is_a_short_one_when_they_have_left(db, ended):
    ended(seen=now() - HOUR)
    assert len(letters(db)) == 1


def test_it_is_told_once(db, ended):
    job_id = ended(began=now() - HOUR)
    for _ in range(3):
        progress.refresh(db, job_id)
    assert len(letters(db)) == 1


def test_a_process_that_died_before_the_end_was_on_record_leaves_it_to_the_sweep(db, ended):
    job_id = ended(began=now() - HOUR)
    db.jobs.update_one({"_id": job_id}, {"$set": {"phase": "mailing", "status": "running"}})
    db.pending_emails.delete_many({})
    progress.refresh(db, job_id)
    assert db.jobs.find_one()["phase"] == "over"
    assert len(letters(db)) == 1


def test_a_job_that_has_failed_is_told_of_with_the_reason(app, db, admin):
    job = jobs.new_job("activation_1", "activation", admin.key, admin.name, {}, 2)
    lease = leases.for_new_job(db, job, 10)
    db.jobs.insert_one(job)
    db.users.update_one({"_id": admin.key}, {"$set": {"lastSeenAt": now() - HOUR}})
    leases.fail(db, lease, "The service is away.", progress.tell_of_end)
    (letter,) = letters(db)
    assert letter.subject == "Activation has stopped at a fault"
    assert "The service is away." in letter.text


def test_who_has_cancelled_it_knows(site, db, api, admin, new_leads):
    new_leads(3)
    with site.app_context():
        job_id = api.activate()
        control.cancel(db, admin, job_id)
        db.users.update_one({"_id": admin.key}, {"$set": {"lastSeenAt": now() - HOUR}})
        run_jobs(site)
        assert db.jobs.find_one()["phase"] == "over"
        assert letters(db) == []


def test_a_job_that_is_kept_no_longer_needs_no_letter(db, ended):
    ended(began=now() - HOUR)
    db.jobs.delete_many({})
    (letter,) = letters(db)
    assert isinstance(letter, Unneeded)


def test_a_request_says_that_somebody_is_there(db, api, admin):
    api.get("/crm/leads")
    assert not presence.has_left(db.users.find_one({"_id": admin.key}))


def test_a_letter_that_could_not_be_delivered_can_be_sent_again(db, ended, api):
    ended(began=now() - HOUR)
    (mail,) = queue.claim(db, 1, 60)
    queue.settle_failed(db, mail, "mailbox_full", "452 full")
    assert api.post("/crm/email-queue/failed/retry", {"filter": {}}).status_code == 200
    (letter,) = letters(db)
    assert "0 of 2 leads went well" in letter.text


def test_four_processes_that_find_the_end_at_once_tell_of_it_once(app, db, ended):
    job_id = ended(began=now() - HOUR)
    db.jobs.update_one({"_id": job_id}, {"$set": {"phase": "mailing", "status": "running"}})
    db.pending_emails.delete_many({})

    def refresh(_):
        with app.app_context():
            progress.refresh(db, job_id)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(refresh, range(4)))
    assert db.jobs.find_one()["phase"] == "over"
    assert len(letters(db)) == 1
