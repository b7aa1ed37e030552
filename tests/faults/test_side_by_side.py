"""Jobs run side by side, each at its own pace: a small one never waits for a big one that came before it."""

from datetime import timedelta

import pytest
from bson import ObjectId

from crmapp.clock import now
from tests.support.steered import Steered, snapshot
from tests.support.waiting import until

MANY, FEW = 20_000, 5
ENTRIES, GOALS, LEADS = 12_000, 20, 1000


@pytest.fixture
def sync(api):
    def sync(type):
        answer = api.post(f"/api/ml/sync/{type}")
        assert answer.status_code == 202, answer.text
        return answer.json["data"]["jobId"]

    return sync


def done(db, job_id):
    counts = db.jobs.find_one({"_id": job_id})["counts"]
    return sum(counts.values()) - counts["total"]


def test_three_syncs_and_an_activation_in_two_workers(db, smtp, api, sync, new_leads, new_worker):
    new_leads(LEADS)
    db.journal_entries.insert_many(entry(number) for number in range(ENTRIES))
    db.goals.insert_many(goal(number) for number in range(GOALS))
    before = snapshot(db)
    for _ in range(2):
        new_worker()
    big = sync("journal_entries")
    until(lambda: done(db, big), what="the big one is under way")
    activation = Steered(db, api.activate(), before)
    of_leads, small = sync("leads"), sync("goals")
    ids = [big, activation.id, of_leads, small]
    ended = {"_id": {"$in": ids}, "status": "completed", "phase": "over"}
    until(lambda: db.jobs.count_documents(ended) == len(ids), 40)

    worked_at = {job["_id"]: job["workedAt"] for job in db.jobs.find(ended)}
    assert worked_at[small] < worked_at[big]
    activation.assert_nothing_lost()
    assert done(db, activation.id) == LEADS
    for job_id, type, count in ((big, "journal_entries", ENTRIES), (small, "goals", GOALS)):
        nothing_else = {"unchanged": 0, "removed": 0, "failed": 0}
        counts = {"total": count, "synced": count, **nothing_else}
        assert db.jobs.find_one({"_id": job_id})["counts"] == counts
        assert len(db.documents.distinct("sourceId", {"type": type})) == count
    assert db.documents.count_documents({}) == ENTRIES + GOALS + LEADS
    assert len(smtp.taken) == LEADS


def entry(number):
    person = {"authorId": ObjectId(), "authorName": "Ann"}
    times = dict.fromkeys(("at", "createdAt", "updatedAt"), now())
    return {"leadId": ObjectId(), "kind": "note", "text": f"Note {number}", **person, **times}


def goal(number):
    days = {"from": now(), "to": now() + timedelta(days=30)}
    numbers = {"target": 10, "unit": "calls", "progress": 1}
    person = {"userId": ObjectId(), "createdBy": ObjectId()}
    times = {"createdAt": now(), "updatedAt": now()}
    return {"title": f"Goal {number}", "notes": "", **numbers, **person, **days, **times}


def test_five_leads_after_twenty_thousand_end_first(db, smtp, api, new_leads, new_worker):
    new_leads(MANY, source="import")
    few = new_leads(FEW)
    worker = new_worker()
    big = api.activate(filter={"source": "import"})
    until(lambda: done(db, big), what="the big one is under way")
    small = api.activate(leadIds=[str(lead_id) for lead_id in few])
    until(lambda: db.jobs.find_one({"_id": small})["status"] == "completed")
    assert db.jobs.find_one({"_id": big})["phase"] == "working"
    assert all(smtp.taken[f"lead{number}@example.com"] for number in range(MANY, MANY + FEW))
    worker.stop()
