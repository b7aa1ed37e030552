"""What a sync leaves in `documents`, and that every item is counted once."""

import hashlib
import itertools

import pytest
from bson import Int64, ObjectId
from pymongo.errors import AutoReconnect
from pymongo.synchronous.client_session import ClientSession

from crmapp.jobs import control, leases
from crmapp.jobs.leases import LeaseLost
from crmapp.sync import compare, run
from tests.support.work import claim_all, new_runner, refresh, run_jobs
from tests.sync.conftest import AT

TYPE = "journal_entries"


@pytest.fixture
def small(monkeypatch):
    """Ranges and rows of a few items, so that a few items are many chunks."""
    monkeypatch.setattr(compare, "RANGE", 5)
    monkeypatch.setattr(run, "ROW_SIZE", 3)


def test_a_first_sync_makes_a_document_of_every_item(sync, new_entries, db, admin, document_of):
    first, *_ = new_entries(3)
    job = sync()
    assert (job["status"], job["phase"]) == ("completed", "over")
    assert job["counts"] == {"total": 3, "synced": 3, "unchanged": 0, "removed": 0, "failed": 0}
    document = document_of(first)
    assert document["type"] == TYPE
    assert document["title"] == "Call: Entry 1"
    assert document["text"] == "Entry 1\nSpoke about the budget."
    assert document["metadata"] == {"kind": "call", "leadId": None, "authorName": "Ann"}
    assert (document["ownerId"], document["date"]) == (admin.key, AT)
    assert job["startTime"] <= document["syncedAt"] <= job["endTime"]
    assert len(document["contentHash"]) == len(hashlib.sha256().hexdigest())
    assert db.job_items.count_documents({}) == 0


def test_with_nothing_to_do_a_sync_completes_with_no_items(counts, new_entries, db):
    new_entries(3)
    counts()
    before = list(db.documents.find())
    assert counts() == {}
    assert list(db.documents.find()) == before


def test_a_sync_of_an_empty_source_completes(counts):
    assert counts() == {}


def test_only_what_changed_is_written(counts, new_entries, db, document_of):
    changed, other, _ = new_entries(3)
    counts()
    before = {each: document_of(each) for each in (changed, other)}
    db.journal_entries.update_one({"_id": changed}, {"$set": {"text": "Something else."}})
    assert counts() == {"total": 1, "synced": 1}
    after = document_of(changed)
    assert after["text"] == "Something else."
    assert after["_id"] == before[changed]["_id"]
    assert after["contentHash"] != before[changed]["contentHash"]
    assert after["syncedAt"] > before[changed]["syncedAt"]
    assert document_of(other) == before[other]


def test_what_is_no_part_of_a_document_may_change(counts, new_entries, db):
    new_entries(2)
    counts()
    db.journal_entries.update_many({}, {"$currentDate": {"updatedAt": True}})
    assert counts() == {}


def test_the_same_content_again_is_not_rewritten(counts, new_entries, db, document_of):
    touched, _ = new_entries(2)
    counts()
    before = document_of(touched)
    db.journal_entries.update_one({"_id": touched}, {"$set": {"text": before["text"] + "\n "}})
    assert counts() == {"total": 1, "unchanged": 1}
    after = document_of(touched)
    for name in ("syncedAt", "contentHash", "text"):
        assert after[name] == before[name]
    assert counts() == {}, "it is not looked at again"


def test_what_was_deleted_is_removed(counts, new_entries, db, document_of):
    gone, kept = new_entries(2)
    counts()
    db.journal_entries.delete_one({"_id": gone})
    assert counts() == {"total": 1, "removed": 1}
    assert document_of(gone) is None
    assert document_of(kept)


def test_all_kinds_of_changes_at_once_over_many_ranges(small, counts, new_entries, db):
    ids = new_entries(23)
    assert counts() == {"total": 23, "synced": 23}
    db.journal_entries.delete_many({"_id": {"$in": [ids[0], ids[4], ids[5], ids[22]]}})
    db.journal_entries.update_many({"_id": {"$in": ids[9:12]}}, {"$set": {"kind": "note"}})
    db.journal_entries.update_one({"_id": ids[15]}, {"$set": {"authorName": " Ann "}})
    new_entries(8)
    assert counts() == {"total": 16, "synced": 11, "unchanged": 1, "removed": 4}
    synced = {document["sourceId"] for document in db.documents.find()}
    assert synced == {entry["_id"] for entry in db.journal_entries.find()}
    assert counts() == {}


def test_all_gone_at_once(small, counts, new_entries, db):
    new_entries(12)
    counts()
    db.journal_entries.delete_many({})
    assert counts() == {"total": 12, "removed": 12}
    assert db.documents.count_documents({}) == 0


def test_ids_may_be_of_any_type(small, counts, new_entries, db):
    ids = ["a" * 2000, "1", 1, 2.5, Int64(2**60), {"a": 1, "b": [2]}, None, True, AT, b"12"]
    for item_id in ids:
        new_entries(1, _id=item_id)
    new_entries(4)
    assert counts() == {"total": 14, "synced": 14}
    assert counts() == {}
    db.journal_entries.update_many({}, {"$set": {"kind": "note"}})
    assert counts() == {"total": 14, "synced": 14}
    db.journal_entries.delete_many({})
    assert counts() == {"total": 14, "removed": 14}


def test_an_item_that_changes_or_goes_before_it_is_reached(
    site, begin, new_entries, db, document_of
):
    changed, gone = new_entries(2)
    job_id = begin()
    with site.app_context():
        runner = new_runner(site)
        (held,) = claim_all(runner)
        runner.step(held)  # has compared
        assert db.jobs.find_one({"_id": job_id})["counts"]["total"] == 2
        db.journal_entries.update_one({"_id": changed}, {"$set": {"text": "The newest."}})
        db.journal_entries.delete_one({"_id": gone})
    run_on(site, runner, held)
    assert db.jobs.find_one({"_id": job_id})["counts"] == {
        "total": 2,
        "synced": 1,
        "unchanged": 0,
        "removed": 1,
        "failed": 0,
    }
    assert document_of(changed)["text"] == "The newest."
    assert document_of(gone) is None


def run_on(site, runner, held):
    with site.app_context():
        while runner.step(held) is not None:
            pass
    refresh(site, held.lease.job_id)


def test_large_items_are_worked_on_a_few_at_a_time(
    site, begin, new_entries, db, monkeypatch, counts
):
    monkeypatch.setattr(run, "CHUNK_BYTES", 250_000)
    monkeypatch.setattr(compare, "RANGE_BYTES", 250_000)
    new_entries(9, text="word " * 20_000)
    new_entries(9)
    begin()
    with site.app_context():
        runner = new_runner(site)
        (held,) = claim_all(runner)
        sizes = [0]
        while runner.step(held) is not None:
            sizes.append(db.documents.count_documents({}))
    refresh(site, held.lease.job_id)
    assert sizes[-1] == 18
    large = [after - before for before, after in itertools.pairwise(sizes) if after <= 9]
    assert max(large) <= 2
    assert counts() == {}


@pytest.mark.parametrize("after", [0, 1, 2, 3, 5, 7])
def test_whoever_lost_the_job_writes_nothing_more(small, site, begin, new_entries, db, after):
    """After every number of chunks: as when a runner is stopped, another goes on, and the first one wakes up."""
    new_entries(11)
    job_id = begin()
    with site.app_context():
        runner = new_runner(site)
        (held,) = claim_all(runner)
        for _ in range(after):
            held.run.step()
        db.jobs.update_one({"_id": job_id}, {"$set": {"lease.until": AT}})
        other = leases.claim(site.extensions["database"], 60)
        before = ledger(db, job_id)
        with pytest.raises(LeaseLost):
            held.run.step()
        assert ledger(db, job_id) == before
        leases.give_back(db, other)
    run_jobs(site)
    job = db.jobs.find_one({"_id": job_id})
    assert job["counts"]["total"] == job["counts"]["synced"] == 11
    assert db.documents.count_documents({}) == 11
    assert db.job_items.count_documents({}) == 0


@pytest.mark.parametrize("lost", [0, 1, 2, 3, 6])
def test_a_commit_of_which_no_news_came_is_not_repeated(
    small, sync, new_entries, db, monkeypatch, lost
):
    commit, commits = ClientSession.commit_transaction, itertools.count()

    def commit_and_lose_the_answer(session):
        commit(session)
        if next(commits) == lost:
            raise AutoReconnect("the connection broke")

    new_entries(11)
    monkeypatch.setattr(ClientSession, "commit_transaction", commit_and_lose_the_answer)
    job = sync()
    assert next(commits) > lost
    assert job["counts"]["total"] == job["counts"]["synced"] == 11
    assert db.documents.count_documents({}) == 11


def ledger(db, job_id):
    counts = db.jobs.find_one({"_id": job_id})["counts"]
    waiting = sum(len(row["ids"]) for row in db.job_items.find())
    return counts, waiting, db.documents.count_documents({})


def test_a_cancel_in_the_middle_says_what_remains(
    small, site, begin, new_entries, db, admin, counts
):
    new_entries(11)
    job_id = begin()
    with site.app_context():
        runner = new_runner(site)
        (held,) = claim_all(runner)
        while db.documents.count_documents({}) < 3:
            runner.step(held)
        control.cancel(site.extensions["database"], admin, job_id)
        assert runner.step(held) is None
    run_jobs(site)
    job = db.jobs.find_one({"_id": job_id})
    assert (job["status"], job["phase"]) == ("cancelled", "over")
    assert job["counts"] == {"total": 11, "synced": 3, "unchanged": 0, "removed": 0, "failed": 0}
    assert db.job_items.count_documents({}) == 0
    told = db.activation_progress.find_one({"sessionId": job_id})
    assert told["remaining"] == 8
    assert told["msg"].startswith("Cancelled: 8 journal entries not reached")
    assert counts() == {"total": 8, "synced": 8}


def test_a_pause_keeps_the_place(small, site, begin, new_entries, db, admin):
    new_entries(11)
    job_id = begin()
    with site.app_context():
        runner = new_runner(site)
        (held,) = claim_all(runner)
        runner.step(held)
        control.pause(site.extensions["database"], admin, job_id)
        assert runner.step(held) is None
        run_jobs(site)
        assert db.documents.count_documents({}) == 0
        control.resume(site.extensions["database"], admin, job_id)
    run_jobs(site)
    assert db.jobs.find_one({"_id": job_id})["counts"]["synced"] == 11


def test_a_source_that_grows_meanwhile_is_caught_up_by_the_next_sync(
    small, site, begin, new_entries, counts
):
    new_entries(7)
    begin()
    with site.app_context():
        runner = new_runner(site)
        (held,) = claim_all(runner)
        runner.step(held)
        new_entries(1, _id=ObjectId(b"\0" * 12))
    run_on(site, runner, held)
    assert counts() == {"total": 1, "synced": 1}


def test_leads_and_goals_are_synced_too(counts, new_leads, db, admin, document_of):
    (lead,) = new_leads(1, notes="Wants a demo.")
    goal = {
        "title": "Ten calls",
        "target": 10,
        "progress": 2.5,
        "unit": "calls",
        "from": AT,
        "to": AT,
    }
    goal_id = db.goals.insert_one({**goal, "userId": admin.key}).inserted_id
    assert counts("leads") == {"total": 1, "synced": 1}
    assert counts("goals") == {"total": 1, "synced": 1}
    assert document_of(lead)["text"] == "Some Company\nlead0@example.com\nWants a demo."
    assert document_of(goal_id)["metadata"]["progress"] == 2.5
    assert document_of(goal_id)["ownerId"] == admin.key
    db.leads.delete_many({})
    assert counts("leads") == {"total": 1, "removed": 1}
    assert document_of(goal_id), "another source's documents are left alone"
