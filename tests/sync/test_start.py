"""Starting syncs, and what programs are told of them."""

import re
import threading

import pytest

from crmapp.accounts.users import Role
from crmapp.jobs import control
from tests.support.work import run_jobs

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def test_a_sync_is_answered_at_once(api, new_entries, db):
    new_entries(1)
    answer = api.post("/api/ml/sync/journal_entries")
    assert answer.status_code == 202
    job_id = answer.json["data"]["jobId"]
    assert answer.json == {"success": True, "data": {"jobId": job_id, "total": 0}}
    assert db.jobs.find_one({"_id": job_id})["status"] == "queued"
    assert db.documents.count_documents({}) == 0


@pytest.mark.parametrize("type", ["journal_entries", "goals", "leads"])
def test_each_source_has_syncs_of_its_own(api, begin, db, type):
    ids = {begin(each) for each in ("journal_entries", "goals", "leads")}
    assert len(ids) == 3
    assert db.jobs.find_one({"_id": begin(type)})["type"] == type


def test_three_syncs_and_an_activation_side_by_side(site, begin, api, new_entries, new_leads, db):
    new_entries(3)
    new_leads(3)
    ids = [begin(type) for type in ("journal_entries", "leads", "goals")]
    activation = api.activate()
    run_jobs(site)
    jobs = {job["_id"]: job for job in db.jobs.find()}
    assert set(jobs) == {*ids, activation}
    assert [jobs[job_id]["status"] for job_id in ids] == ["completed"] * 3
    assert [jobs[job_id]["counts"]["synced"] for job_id in ids] == [3, 3, 0]
    assert jobs[activation]["counts"]["activated"] == 3


def test_an_unknown_type(api):
    answer = api.post("/api/ml/sync/invoices")
    assert answer.status_code == 404
    assert "'invoices'" in answer.json["msg"]
    for type in ("journal_entries", "goals", "leads"):
        assert type in answer.json["msg"]


def test_pressed_twice_is_one_sync(begin, sync):
    first = begin()
    assert begin() == first
    sync()
    assert begin() != first


def test_of_many_presses_at_once_one_sync_comes(site, new_api, admin, db):
    answers = []
    programs = [new_api(admin) for _ in range(6)]

    def press(program):
        answers.append(program.post("/api/ml/sync/goals").json["data"]["jobId"])

    threads = [threading.Thread(target=press, args=(program,)) for program in programs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 6
    assert len(set(answers)) == 1
    assert db.jobs.count_documents({}) == 1


def test_what_another_administrator_syncs_is_not_begun_again(site, begin, new_api, new_person):
    begin()
    bob = new_api(new_person("bob@example.com"))
    answer = bob.post("/api/ml/sync/journal_entries")
    assert answer.status_code == 409
    assert "started by Ann" in answer.json["msg"]
    assert bob.post("/api/ml/sync/goals").status_code == 202
    run_jobs(site)
    assert bob.post("/api/ml/sync/journal_entries").status_code == 202


def test_only_administrators_sync(site, new_api, new_person, visitor):
    agent = new_api(new_person("agent@example.com", Role.AGENT))
    assert agent.post("/api/ml/sync/goals").status_code == 403
    assert agent.get("/api/ml/sync/jobs").status_code == 403
    assert visitor.get_json("/api/ml/sync/jobs").status_code == 401


def test_how_a_sync_is_told(api, sync, new_entries, db, admin):
    ids = new_entries(3)
    db.journal_entries.update_one({"_id": ids[1]}, {"$set": {"kind": "shout"}})
    job = sync()
    told = api.get(f"/api/ml/sync/job/{job['_id']}").json["data"]
    assert TIME.fullmatch(told.pop("startTime"))
    assert TIME.fullmatch(told.pop("endTime"))
    assert isinstance(told.pop("duration"), int)
    assert told == {
        "id": job["_id"],
        "userId": str(admin.key),
        "type": "journal_entries",
        "status": "completed",
        "totalItems": 3,
        "processedItems": 3,
        "syncedItems": 2,
        "failedItems": 1,
        "progress": 100,
        "errors": [
            {
                "itemId": str(ids[1]),
                "title": "Entry 2",
                "reason": "unknown_value",
                "msg": "A field has a value that nobody knows: kind is 'shout'; it must be one of call, note, "
                "meeting.",
            }
        ],
    }


def test_how_a_sync_that_has_not_begun_is_told(api, begin):
    told = api.get(f"/api/ml/sync/job/{begin()}").json["data"]
    assert (told["status"], told["progress"], told["totalItems"]) == ("queued", 0, 0)
    assert told["startTime"] is told["endTime"] is told["duration"] is None


def test_one_that_found_nothing_is_at_100_percent(api, sync):
    told = api.get(f"/api/ml/sync/job/{sync()['_id']}").json["data"]
    assert (told["status"], told["progress"], told["totalItems"]) == ("completed", 100, 0)


def test_no_more_than_50_errors_are_told(api, sync, new_entries):
    new_entries(60, text=1)
    told = api.get(f"/api/ml/sync/job/{sync()['_id']}").json["data"]
    assert told["failedItems"] == 60
    assert len(told["errors"]) == 50


def test_the_list_holds_ones_own_syncs_the_newest_first(api, sync, new_api, new_person, new_leads):
    ids = [sync(type)["_id"] for type in ("goals", "journal_entries", "leads")]
    new_leads(1)
    api.activate()
    items = api.get("/api/ml/sync/jobs").json["data"]["items"]
    assert [item["id"] for item in items] == ids[::-1]
    assert items[0] == api.get(f"/api/ml/sync/job/{ids[-1]}").json["data"]
    boss = new_api(new_person("boss@example.com", Role.SUPERADMIN))
    assert boss.get("/api/ml/sync/jobs").json["data"]["items"] == []
    assert boss.get(f"/api/ml/sync/job/{ids[0]}").status_code == 200


def test_anothers_sync_and_none(api, sync, new_api, new_person, new_leads):
    job_id = sync()["_id"]
    bob = new_api(new_person("bob@example.com"))
    assert bob.get(f"/api/ml/sync/job/{job_id}").status_code == 403
    assert api.get("/api/ml/sync/job/goals_1_a").status_code == 404
    new_leads(1)
    assert api.get(f"/api/ml/sync/job/{api.activate()}").status_code == 404


def test_a_retry_waits_until_no_other_sync_is_under_way(site, sync, begin, new_entries, admin, api):
    new_entries(1, text=1)
    job = sync()
    running = begin()
    answer = api.post(f"/crm/jobs/{job['_id']}/retry")
    assert answer.status_code == 409
    assert "being synced already" in answer.json["msg"]
    run_jobs(site)
    with site.app_context():
        again = control.retry(site.extensions["database"], admin, job["_id"])
        assert again["_id"] != running
        assert control.retry(site.extensions["database"], admin, job["_id"])["_id"] == again["_id"]


def test_what_is_said_of_a_sync(sync, new_entries, db):
    def told(job):
        return db.activation_progress.find_one({"sessionId": job["_id"]})["msg"]

    assert told(sync()) == "Nothing to do: all journal entries are up to date."
    new_entries(2)
    new_entries(1, text=1)
    assert told(sync()) == "2 synced, 1 failed."
