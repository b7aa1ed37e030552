"""The ML service is told what changed, and nothing it does loses a document."""

import itertools
import threading

import pytest

from crmapp.jobs import control
from crmapp.jobs.leases import LeaseLost
from crmapp.sync import ml
from tests.support.ml_service import BREAK_OFF, TAKE, Act
from tests.support.waiting import until
from tests.support.work import claim_all, new_runner, run_jobs


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """Short waits. The service stands before the application is made."""
    monkeypatch.setattr(ml, "FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(ml, "LONGEST_PAUSE_SECONDS", 0)
    monkeypatch.setattr(ml, "ANSWER_SECONDS", 0.3)


@pytest.fixture
def site(ml_service, site):
    return site


def path_of(item_id):
    return f"/documents/journal_entries/{item_id}"


def first_time_only(act):
    """Does `act` with the first call of each document, and takes it then."""
    seen = set()

    def decide(call):
        if call.path in seen:
            return TAKE
        seen.add(call.path)
        return act

    return decide


def test_the_service_is_told_what_changed_and_what_is_gone(
    counts, ml_service, new_entries, db, admin, document_of
):
    changed, gone = new_entries(2)
    counts()
    document = document_of(changed)
    told = ml_service.documents[path_of(changed)]
    assert told == {
        "type": "journal_entries",
        "id": str(changed),
        "title": "Call: Entry 1",
        "text": document["text"],
        "metadata": {"kind": "call", "leadId": None, "authorName": "Ann"},
        "ownerId": str(admin.key),
        "date": "2026-01-31T14:30:00.000Z",
        "contentHash": document["contentHash"],
    }
    assert counts() == {}
    assert len(ml_service.calls) == 2, "what has not changed is not sent"
    db.journal_entries.update_one({"_id": changed}, {"$set": {"kind": "note"}})
    db.journal_entries.delete_one({"_id": gone})
    assert counts() == {"total": 2, "synced": 1, "removed": 1}
    assert list(ml_service.documents) == [path_of(changed)]
    assert ml_service.documents[path_of(changed)]["metadata"]["kind"] == "note"
    assert len({call.key for call in ml_service.calls}) == 4


def test_what_it_refuses_is_an_item_error_and_can_be_retried(
    site, sync, ml_service, new_entries, db, admin, errors_of, document_of
):
    ids = new_entries(20)
    refused = path_of(ids[4])
    ml_service.act = lambda call: (
        Act(422, {"msg": "Not\nEnglish."}) if call.path == refused else TAKE
    )
    job = sync()
    assert (job["status"], job["counts"]["synced"], job["counts"]["failed"]) == ("completed", 19, 1)
    row = errors_of(job["_id"])[ids[4]]
    assert row["reason"] == "refused_by_ml_service"
    assert row["words"] == "422 Unprocessable Entity: Not English."
    assert document_of(ids[4]) is None
    assert [call.path for call in ml_service.calls].count(refused) == 1, "it has been answered"
    ml_service.act = lambda call: TAKE
    with site.app_context():
        again = control.retry(site.extensions["database"], admin, job["_id"])
    run_jobs(site)
    assert db.jobs.find_one({"_id": again["_id"]})["counts"]["synced"] == 1
    assert document_of(ids[4])
    assert len(ml_service.documents) == 20


TROUBLES = [
    *(Act(status) for status in (408, 429, 500, 502, 503, 504)),
    Act(503, headers={"Retry-After": "3600"}),
    BREAK_OFF,
]


def test_a_passing_trouble_is_nobodys_error(counts, ml_service, new_entries):
    ids = new_entries(len(TROUBLES))
    troubles = {path_of(item_id): act for item_id, act in zip(ids, TROUBLES, strict=True)}
    ml_service.act = lambda call: troubles.pop(call.path, TAKE)
    assert counts() == {"total": len(ids), "synced": len(ids)}
    assert len(ml_service.documents) == len(ids)
    assert len(ml_service.calls) == 2 * len(ids)
    assert len({call.key for call in ml_service.calls}) == len(ids), "a repetition has the same key"


def test_a_document_at_which_the_service_fails_keeps_no_other_waiting(
    sync, ml_service, new_entries, errors_of
):
    ids = new_entries(5)
    ml_service.act = lambda call: Act(500, "boom") if call.path == path_of(ids[1]) else TAKE
    job = sync()
    assert (job["status"], job["counts"]["synced"], job["counts"]["failed"]) == ("completed", 4, 1)
    assert errors_of(job["_id"])[ids[1]]["reason"] == "ml_service_fault"


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (None, "does not answer (connection refused)"),
        (BREAK_OFF, "does not answer (the connection broke)"),
        (
            Act(503, {"msg": "starting"}),
            "cannot take documents (503 Service Unavailable: starting)",
        ),
        (Act(500), "cannot take documents (500 Internal Server Error)"),
    ],
)
def test_a_service_that_is_away_fails_the_job_which_can_be_resumed(
    site, begin, ml_service, new_entries, db, admin, act, words
):
    new_entries(5)
    job_id = begin()
    if act is None:
        ml_service.stop()
    else:
        ml_service.act = lambda call: act
    run_jobs(site)
    job = db.jobs.find_one({"_id": job_id})
    assert job["status"] == "failed"
    assert job["problem"].startswith(f"The ML service at {ml_service.url} {words}")
    assert job["problem"].endswith("then resume the job.")
    assert job["counts"] == {"total": 5, "synced": 0, "unchanged": 0, "removed": 0, "failed": 0}
    assert db.documents.count_documents({}) == 0
    if act is None:
        ml_service.start()
    ml_service.act = lambda call: TAKE
    with site.app_context():
        control.resume(site.extensions["database"], admin, job_id)
    run_jobs(site)
    job = db.jobs.find_one({"_id": job_id})
    assert (job["status"], job["counts"]["synced"]) == ("completed", 5)
    assert len(ml_service.documents) == 5
    assert len({call.key for call in ml_service.calls}) == 5, "nothing told twice is taken twice"


def test_an_answer_that_comes_too_late_is_asked_for_again(
    counts, ml_service, new_entries, document_of
):
    (item,) = new_entries(1)
    late = threading.Event()
    ml_service.act = first_time_only(Act(after=late))
    assert counts() == {"total": 1, "synced": 1}
    late.set()
    until(lambda: ml_service.at_once == 0)
    assert ml_service.documents[path_of(item)]["contentHash"] == document_of(item)["contentHash"]
    assert len({call.key for call in ml_service.calls}) == 1


def test_no_more_than_8_documents_are_on_their_way_at_once(ml_service, monkeypatch):
    monkeypatch.setattr(ml, "ANSWER_SECONDS", 20)
    gate, ticks = threading.Event(), itertools.count(1)
    ml_service.act = lambda call: Act(after=gate)

    def tick():
        if ml_service.at_once >= ml.AT_ONCE and next(ticks) == 3:
            gate.set()

    messages = [ml.Message(b"%d" % each, "PUT", f"/{each}", str(each)) for each in range(30)]
    assert ml.MlService(ml_service.url).send(messages, 0.1, tick) == {}
    assert ml_service.most_at_once == ml.AT_ONCE
    assert len(ml_service.calls) == 30


def test_the_lease_lives_while_the_service_is_slow(
    site, begin, ml_service, new_entries, db, monkeypatch
):
    monkeypatch.setattr(ml, "ANSWER_SECONDS", 20)
    new_entries(3)
    job_id = begin()
    gate = threading.Event()
    ml_service.act = lambda call: Act(after=gate)
    with site.app_context():
        runner = new_runner(site)
        (held,) = claim_all(runner)
        object.__setattr__(held.lease, "seconds", 1)
        held.run.step()
        working = threading.Thread(target=held.run.step)
        working.start()
        until(lambda: len(ml_service.calls) == 3)
        before = lease_of(db, job_id)["until"]
        until(lambda: lease_of(db, job_id)["until"] > before)
        gate.set()
        working.join()
    assert db.documents.count_documents({}) == 3


def test_a_press_of_pause_does_not_wait_for_a_slow_service(
    site, begin, ml_service, new_entries, db, admin, monkeypatch
):
    monkeypatch.setattr(ml, "ANSWER_SECONDS", 20)
    new_entries(3)
    job_id = begin()
    gate = threading.Event()
    ml_service.act = lambda call: Act(after=gate)
    lost = threading.Event()
    with site.app_context():
        runner = new_runner(site)
        (held,) = claim_all(runner)
        object.__setattr__(held.lease, "seconds", 1)
        held.run.step()

        def work():
            with pytest.raises(LeaseLost):
                held.run.step()
            lost.set()

        threading.Thread(target=work).start()
        until(lambda: len(ml_service.calls) == 3)
        control.pause(site.extensions["database"], admin, job_id)
        assert lost.wait(10)
    gate.set()
    assert db.documents.count_documents({}) == 0


def lease_of(db, job_id):
    return db.jobs.find_one({"_id": job_id})["lease"]


def test_ids_are_safe_in_an_address(counts, ml_service, new_entries):
    new_entries(1, _id="../a b?c#ü/%2f\r\n日")
    assert counts() == {"total": 1, "synced": 1}
    assert list(ml_service.documents) == [
        "/documents/journal_entries/..%2Fa%20b%3Fc%23%C3%BC%2F%252f%0D%0A%E6%97%A5"
    ]


def test_what_is_as_it_was_before_the_last_change_is_told_again(
    counts, ml_service, new_entries, db
):
    (item,) = new_entries(1)
    for kind in ("call", "note", "call"):
        db.journal_entries.update_one({"_id": item}, {"$set": {"kind": kind}})
        counts()
    assert ml_service.documents[path_of(item)]["metadata"]["kind"] == "call"
    assert len({call.key for call in ml_service.calls}) == 3


def test_a_removal_that_the_service_knows_nothing_of_is_done(counts, ml_service, new_entries, db):
    new_entries(1)
    counts()
    db.journal_entries.delete_many({})
    ml_service.act = lambda call: Act(404)
    assert counts() == {"total": 1, "removed": 1}


def test_a_removal_that_is_refused_is_tried_again_by_the_next_sync(
    counts, ml_service, new_entries, db
):
    new_entries(1)
    counts()
    db.journal_entries.delete_many({})
    ml_service.act = lambda call: Act(403)
    assert counts() == {"total": 1, "failed": 1}
    assert db.documents.count_documents({}) == 1
    ml_service.act = lambda call: TAKE
    assert counts() == {"total": 1, "removed": 1}
    assert ml_service.documents == {}


def test_the_password_in_its_address_is_told_nobody(environ, ml_service):
    service = ml.MlService(ml_service.url.replace("http://", "http://bob:secret@"))
    ml_service.stop()
    with pytest.raises(Exception, match="does not answer") as raised:
        service.send([ml.Message(b"1", "PUT", "/documents/a/1", "key")], 1, lambda: None)
    assert "secret" not in str(raised.value)
