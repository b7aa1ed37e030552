"""`flask queue doctor`: what disagrees is said and mended, and a queue that works is left in peace."""

import threading
from types import SimpleNamespace

import pytest

from crmapp.invitations.resend import queue_missing
from crmapp.mailqueue import doctor, queue
from tests.mailqueue.desk import failed, note_sent, pending
from tests.support.ledger import assert_adds_up
from tests.support.work import refresh, run_jobs


@pytest.fixture(autouse=True)
def _without_a_pause(monkeypatch):
    monkeypatch.setattr(doctor, "RECHECK_SECONDS", 0.0)


@pytest.fixture
def flask(app):
    """Runs the doctor in this process; returns its exit status and what it says."""

    def run(*arguments):
        result = app.test_cli_runner().invoke(args=["queue", "doctor", *arguments])
        assert result.exception is None or isinstance(result.exception, SystemExit), result
        return result.exit_code, result.output

    return run


@pytest.fixture
def session_id(db, site, api, new_leads):
    """An activation of ten leads: one mail was sent, one failed, eight wait."""
    new_leads(10)
    session_id = api.activate()
    run_jobs(site)
    first, second = queue.claim(db, 2, 60)
    queue.note_sent(db, [(first, "250 Taken")])
    queue.remove_sent(db, [first])
    queue.settle_failed(db, second, "mailbox_full", "552 Full")
    refresh(site, session_id)
    with site.app_context():
        doctor.announce(db)
    return session_id


def assert_mended(flask, *words):
    """It tells of one thing with these words, mends it, and is content afterwards."""
    code, output = flask()
    assert code == 1
    told, advice = output.splitlines()
    for word in words:
        assert word in told
    assert advice == "1 found; --mend puts it right."
    code, output = flask("--mend")
    assert code == 0, output
    assert output.startswith(f"{told} Mended: ")
    assert flask() == (0, "Everything adds up.\n")


def test_nothing_to_say(flask, db, session_id):
    assert flask() == (0, "Everything adds up.\n")
    assert flask("--mend") == (0, "Everything adds up.\n")


def test_numbers_of_a_session_that_were_not_kept_up(flask, db, session_id):
    db.activation_progress.update_one({}, {"$set": {"emailsSent": 5, "emailsPending": 4}})
    assert_mended(flask, session_id, "emailsSent 5", "emailsSent 1", "emailsPending 8")
    assert_adds_up(db, session_id, 10)


def test_a_job_that_counted_wrongly(flask, db, session_id):
    db.jobs.update_one({}, {"$set": {"counts.activated": 9}})
    db.activation_progress.update_one({}, {"$set": {"activated": 9, "emailsPending": 7}})
    assert_mended(flask, session_id, "activated 9", "activated 10")
    assert_adds_up(db, session_id, 10)


def test_a_job_that_is_under_way_is_left_alone(flask, db, session_id):
    db.jobs.update_one({}, {"$set": {"counts.activated": 9, "phase": "working"}})
    db.activation_progress.update_one({}, {"$set": {"activated": 9, "emailsPending": 7}})
    code, output = flask("--mend")
    assert code == 1
    assert "is under way" in output
    assert "Not mended." in output
    assert db.jobs.find_one()["counts"]["activated"] == 9


def test_a_user_without_any_mail(flask, db, session_id):
    lost = db.pending_emails.find_one_and_delete({"status": "pending"})
    db.projections.update_one({"_id": "emailQueue"}, {"$inc": {"pending": -1, "total": -1}})
    assert_mended(flask, lost["email"], session_id, "never sent a mail")
    (mail,) = db.pending_emails.find({"userId": lost["userId"]})
    assert (mail["sessionId"], mail["email"]) == (session_id, lost["email"])
    assert_adds_up(db, session_id, 10)


def test_a_mail_that_is_queued_and_failed(flask, db, app):
    mail = failed(db)
    pending(db, _id=mail["_id"])
    assert_mended(flask, str(mail["_id"]), "failed, but it is queued")
    assert db.pending_emails.count_documents({}) == 1
    assert db.failed_emails.count_documents({}) == 0


def test_a_mail_that_failed_and_was_sent(flask, db, app):
    mail = failed(db)
    note_sent(db, mail)
    assert_mended(flask, str(mail["_id"]), "failed, but it was sent")
    assert db.failed_emails.count_documents({}) == 0


def test_a_mail_that_is_queued_and_was_sent(flask, db, app):
    mail = pending(db)
    note_sent(db, mail)
    assert_mended(flask, str(mail["_id"]), "queued, but it was sent")
    assert db.pending_emails.count_documents({}) == 0


def test_what_a_sender_is_settling_is_left_alone(flask, db, app):
    (mail,) = [pending(db)]
    (claimed,) = queue.claim(db, 1, 60)
    note_sent(db, mail)
    assert flask() == (0, "Everything adds up.\n")
    moving = pending(db)
    (claimed,) = queue.claim(db, 1, 60)
    assert claimed["_id"] == moving["_id"]
    db.pending_emails.update_one({"_id": moving["_id"]}, {"$set": {"failure": {"reason": "fault"}}})
    failed(db, _id=moving["_id"])
    assert flask() == (0, "Everything adds up.\n")


def test_the_queues_numbers(flask, db, session_id):
    db.projections.update_one({"_id": "emailQueue"}, {"$set": {"failed": 7}})
    assert_mended(flask, "The queue shows", "failed 7", "failed 1")
    assert db.projections.find_one({"_id": "emailQueue"})["failed"] == 1


def test_what_moves_on_between_two_looks_is_not_told(db, app, monkeypatch, session_id):
    db.activation_progress.update_one({}, {"$set": {"emailsSent": 5}, "$inc": {"rev": 1}})

    def projected(_):
        db.activation_progress.update_one({}, {"$set": {"emailsSent": 6}, "$inc": {"rev": 1}})

    monkeypatch.setattr(doctor, "time", SimpleNamespace(sleep=projected))
    assert doctor.examine(db, queue_missing) == []


def test_a_queue_that_works_is_left_in_peace(
    db, smtp, server, program, new_leads, app, monkeypatch
):
    monkeypatch.setattr(doctor, "RECHECK_SECONDS", 3.0)
    new_leads(3000)
    session_id = program.activate()
    ended = threading.Event()
    examined = []

    def examine():
        with app.app_context():
            while not ended.is_set():
                examined.extend(doctor.examine(db, queue_missing))

    patient = threading.Thread(target=examine)
    patient.start()
    for type, _, _ in program.events(f"/crm/activation/stream/{session_id}"):
        if type == "complete":
            break
    ended.set()
    patient.join()
    assert [finding.text for finding in examined] == []
