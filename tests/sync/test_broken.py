"""Broken items: each fails by itself, with its reason, and keeps no other waiting."""

import dataclasses
import datetime as dt

import bson
import pytest
from bson import DatetimeMS, Decimal128, ObjectId
from bson.raw_bson import RawBSONDocument

from crmapp.jobs import control
from crmapp.sync import fields, sources
from tests.support.work import run_jobs
from tests.sync.conftest import AT

GOAL = {"title": "Ten calls", "notes": "", "target": 10, "progress": 0, "unit": "calls"}
LEAD = {"name": "Olivia", "email": "olivia@example.com", "status": "new"}


@pytest.fixture
def failed(sync, errors_of):
    """Does a whole sync in which one item fails; returns its row."""

    def failed(type="journal_entries"):
        job = sync(type)
        assert job["status"] == "completed"
        assert job["counts"]["failed"] == 1
        (row,) = errors_of(job["_id"]).values()
        return row

    return failed


def test_the_5th_and_the_17th_fail_and_all_others_are_written(sync, new_entries, db, errors_of):
    ids = new_entries(20)
    db.journal_entries.update_one({"_id": ids[4]}, {"$set": {"text": 5}})
    db.journal_entries.update_one({"_id": ids[16]}, {"$unset": {"at": 1}})
    job = sync()
    assert job["counts"] == {"total": 20, "synced": 18, "unchanged": 0, "removed": 0, "failed": 2}
    rows = errors_of(job["_id"])
    assert set(rows) == {ids[4], ids[16]}
    fifth, seventeenth = rows[ids[4]], rows[ids[16]]
    assert (fifth["state"], fifth["reason"]) == ("failed", "wrong_type")
    assert fifth["words"] == "text is a number; it should be text."
    assert seventeenth["reason"] == "missing"
    assert (seventeenth["words"], seventeenth["title"]) == ("at is missing.", "Entry 17")
    assert {document["sourceId"] for document in db.documents.find()} == set(ids) - set(rows)


JUNK_IN_ENTRIES = [
    ("text", None, "missing", "text is missing."),
    ("text", " \n", "missing", "text is missing."),
    ("text", {"$ne": 1}, "wrong_type", "text is an object; it should be text."),
    ("text", ["a", "b"], "wrong_type", "text is a list; it should be text."),
    ("text", True, "wrong_type", "text is true or false; it should be text."),
    ("text", b"\0\xff", "wrong_type", "text is binary data; it should be text."),
    ("text", bson.Regex("a"), "wrong_type", "text is Regex; it should be text."),
    ("text", "x" * (fields.LONGEST_TEXT + 1), "too_long", "text has 100,001 characters"),
    ("text", "x" * 15_000_000, "too_long", "text has 15,000,000 characters"),
    ("kind", "shout", "unknown_value", "kind is 'shout'; it must be one of call, note"),
    ("kind", 3, "wrong_type", "kind is a number; it should be text."),
    ("at", "2026-01-31", "wrong_type", "at is text; it should be a time"),
    ("at", DatetimeMS(2**60), "wrong_type", "at is DatetimeMS; it should be a time"),
    ("leadId", "abc", "wrong_type", "leadId is text; it should be an id."),
    ("authorId", AT, "wrong_type", "authorId is a time; it should be an id."),
    ("authorName", "x" * 2000, "too_long", "authorName has 2,000 characters"),
]
JUNK_IN_GOALS = [
    ("title", "", "missing"),
    ("title", 7, "wrong_type"),
    ("target", "many", "wrong_type"),
    ("target", True, "wrong_type"),
    ("target", float("nan"), "wrong_type"),
    ("progress", float("inf"), "wrong_type"),
    ("progress", None, "missing"),
    ("progress", Decimal128("1.5"), "wrong_type"),
    ("unit", {}, "wrong_type"),
    ("from", "2026-01-01", "wrong_type"),
    ("userId", "ann", "wrong_type"),
]
JUNK_IN_LEADS = [
    ("name", {"first": "Olivia"}, "wrong_type"),
    ("email", 5, "wrong_type"),
    ("notes", ["a"], "wrong_type"),
    ("agentId", "x", "wrong_type"),
    ("createdAt", 1, "wrong_type"),
]


def test_every_kind_of_junk_in_entries(sync, new_entries, errors_of, db):
    new_entries(2)
    ids = [new_entries(1, **{field: value})[0] for field, value, *_ in JUNK_IN_ENTRIES]
    rows = errors_of(sync()["_id"])
    assert set(rows) == set(ids)
    for item_id, (_, _, reason, words) in zip(ids, JUNK_IN_ENTRIES, strict=True):
        assert rows[item_id]["reason"] == reason
        assert rows[item_id]["words"].startswith(words)
    assert db.documents.count_documents({}) == 2


@pytest.mark.parametrize(
    ("type", "sound", "junk"), [("goals", GOAL, JUNK_IN_GOALS), ("leads", LEAD, JUNK_IN_LEADS)]
)
def test_every_kind_of_junk_in_goals_and_leads(sync, errors_of, db, type, sound, junk):
    db[type].insert_one({**sound})
    items = [{**sound, field: value} for field, value, _ in junk]
    ids = db[type].insert_many(items).inserted_ids
    rows = errors_of(sync(type)["_id"])
    reasons = {item_id: row["reason"] for item_id, row in rows.items()}
    assert reasons == {item_id: each[2] for item_id, each in zip(ids, junk, strict=True)}
    assert db.documents.count_documents({}) == 1


def test_an_item_of_nothing_but_its_id(failed, db):
    db.journal_entries.insert_one({})
    assert failed()["reason"] == "missing"


def test_what_cannot_be_decoded_spoils_no_other(failed, new_entries, db):
    new_entries(2)
    item = bson.encode({"_id": ObjectId(), "text": "broken: ???", "kind": "call", "at": AT})
    db.journal_entries.insert_one(RawBSONDocument(item.replace(b"???", b"\xff\xfe\xfd")))
    row = failed()
    assert row["reason"] == "unreadable"
    assert db.documents.count_documents({}) == 2


def test_a_source_whose_code_fails_spoils_no_other(failed, new_entries, db, monkeypatch):
    new_entries(3)
    source = sources.of("journal_entries")
    content = type(source).content

    def fail_at_the_second(self, item):
        if item["text"].startswith("Entry 2"):
            raise KeyError("nobody thought of this")
        return content(self, item)

    monkeypatch.setattr(type(source), "content", fail_at_the_second)
    row = failed()
    assert row["words"] == "The source's own code fails at it: KeyError: 'nobody thought of this'"
    assert db.documents.count_documents({}) == 2


def test_content_that_cannot_be_kept_or_told(sync, new_entries, errors_of, db, monkeypatch):
    new_entries(1)
    wrong = {
        "title": 1,
        "text": None,
        "metadata": {"many": 2**70},
        "owner_id": "ann",
        "date": "now",
    }
    wrong_ones = [*wrong.items(), ("metadata", {"bytes": b"1"})]
    for number in range(len(wrong_ones)):
        new_entries(1, text=f"{number}")
    source = sources.of("journal_entries")
    sound = type(source).content

    def content(self, item):
        made = sound(self, item)
        if not item["text"].isdigit():
            return made
        field, value = wrong_ones[int(item["text"])]
        return dataclasses.replace(made, **{field: value})

    monkeypatch.setattr(type(source), "content", content)
    rows = errors_of(sync()["_id"])
    assert [row["reason"] for row in rows.values()] == ["unreadable"] * len(wrong_ones)
    assert db.documents.count_documents({}) == 1


def test_a_document_stays_while_its_item_is_broken(sync, counts, new_entries, db, document_of):
    (item,) = new_entries(1)
    sync()
    db.journal_entries.update_one({"_id": item}, {"$set": {"text": 1}})
    assert counts() == {"total": 1, "failed": 1}
    assert document_of(item)["text"].startswith("Entry 1")
    assert counts() == {"total": 1, "failed": 1}, "it is tried again by every sync"
    db.journal_entries.update_one({"_id": item}, {"$set": {"text": "Mended."}})
    assert counts() == {"total": 1, "synced": 1}


def test_failed_items_alone_are_retried(site, sync, new_entries, db, admin, document_of):
    mended, broken, gone, *_ = new_entries(5)
    db.journal_entries.update_many({"_id": {"$in": [mended, broken, gone]}}, {"$set": {"text": 1}})
    job = sync()
    db.journal_entries.update_one({"_id": mended}, {"$set": {"text": "Mended."}})
    db.journal_entries.delete_one({"_id": gone})
    new_entries(1)
    with site.app_context():
        again = control.retry(site.extensions["database"], admin, job["_id"])
    run_jobs(site)
    new = db.jobs.find_one({"_id": again["_id"]})
    assert (new["status"], new["retryOf"]) == ("completed", job["_id"])
    assert new["counts"] == {"total": 3, "synced": 1, "unchanged": 0, "removed": 1, "failed": 1}
    assert document_of(mended)["text"] == "Mended."
    assert [row["itemId"] for row in db.job_errors.find({"jobId": new["_id"]})] == [broken]


def test_times_before_1970_and_far_ahead_are_kept(counts, new_entries, document_of):
    (old,) = new_entries(1, at=dt.datetime(1, 1, 2, tzinfo=dt.UTC))
    (late,) = new_entries(1, at=dt.datetime(9999, 12, 31, tzinfo=dt.UTC))
    assert counts() == {"total": 2, "synced": 2}
    assert document_of(old)["date"].year == 1
    assert document_of(late)["date"].year == 9999
