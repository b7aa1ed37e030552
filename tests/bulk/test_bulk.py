"""What is done with many leads at once: over ids and over a filter, whatever happens meanwhile."""

from __future__ import annotations

from datetime import timedelta

import pytest
from bson import ObjectId

from crmapp.accounts.users import Role
from crmapp.clock import now
from crmapp.leads.selections import PART
from tests.support.work import claim_all, new_runner, run_jobs

BULK = "/crm/leads/bulk"
FAIR = {"filter": {"source": "fair"}}


@pytest.fixture
def agent(new_person):
    return new_person("agent@example.com", Role.AGENT)


@pytest.fixture
def ask(agent):
    """What each action is told."""
    return {
        "assign": {"agentId": agent.id},
        "status": {"status": "qualified"},
        "tag": {"add": ["VIP", "fair"], "remove": ["cold"]},
        "delete": {},
    }


@pytest.fixture
def begin(api):
    def begin(action, **body):
        answer = api.post(f"{BULK}/{action}", body)
        assert answer.status_code == 202, answer.text
        return answer.json["data"]["jobId"]

    return begin


@pytest.fixture
def preview(api):
    def preview(action, **body):
        answer = api.post(f"{BULK}/{action}/preview", body)
        assert answer.status_code == 200, answer.text
        return answer.json["data"]

    return preview


@pytest.fixture
def job(db):
    return lambda job_id: db.jobs.find_one({"_id": job_id})


def is_done(lead, action, agent):
    if action == "delete":
        return lead is None
    return {
        "assign": lead.get("agentId") == agent.key,
        "status": lead["status"] == "qualified",
        "tag": {"VIP", "fair"} <= set(lead.get("tags") or ()) and "cold" not in lead["tags"],
    }[action]


@pytest.mark.parametrize("action", ["assign", "status", "tag", "delete"])
@pytest.mark.parametrize("way", ["leadIds", "filter"])
def test_exactly_what_was_confirmed_is_worked_on(
    site, db, api, new_leads, ask, agent, begin, preview, job, action, way
):
    """Whatever came to match, ceased to match, was deleted or activated between the preview and the press."""
    meant = new_leads(PART + 20, source="fair", tags=["cold"])
    body = FAIR if way == "filter" else {"leadIds": [str(i) for i in meant]}
    seen = preview(action, **body, **ask[action])
    assert (seen["total"], seen["toChange"]) == (PART + 20, PART + 20)
    late = new_leads(3, source="fair", tags=[])
    db.leads.update_many({"_id": {"$in": meant[:5]}}, {"$set": {"source": "web"}})
    db.leads.delete_many({"_id": {"$in": meant[5:9]}})
    db.leads.update_many({"_id": {"$in": meant[9:11]}}, {"$set": {"status": "active"}})
    job_id = begin(action, selectionId=seen["selectionId"], **ask[action])
    run_jobs(site)
    held = action in ("status", "delete")
    counts = {"total": PART + 20, "changed": PART + 16, "unchanged": 0, "skipped": 4, "failed": 0}
    if held:
        counts |= {"changed": PART + 14, "skipped": 6}
    ended = job(job_id)
    assert (ended["status"], ended["phase"], ended["counts"]) == ("completed", "over", counts)
    left = {lead["_id"]: lead for lead in db.leads.find()}
    done = [i for i in meant if i not in meant[5:9] and is_done(left.get(i), action, agent)]
    assert len(done) == counts["changed"]
    assert all(left[i]["source"] == "fair" and not left[i].get("agentId") for i in late)
    rows = db.job_errors.find({"jobId": job_id})
    reasons = sorted(row["reason"] for row in rows)
    assert reasons == ["has_account"] * (2 if held else 0) + ["not_found"] * 4
    assert db.events.count_documents({"jobId": job_id}) == counts["changed"]
    assert not db.selection_parts.find_one()


def test_the_preview_says_what_will_be(site, db, new_leads, ask, begin, preview, job):
    new_leads(3, source="fair")
    new_leads(2, source="fair", status="qualified")
    new_leads(4, source="fair", status="active")
    new_leads(1, source="fair", status="activating")
    new_leads(9, source="web")
    seen = preview("status", **FAIR, **ask["status"])
    selection_id = seen.pop("selectionId")
    assert seen == {
        "total": 10,
        "toChange": 3,
        "unchanged": 2,
        "skipped": {"has_account": 4, "held_by_activation": 1},
    }
    before = {lead["_id"]: lead for lead in db.leads.find()}
    job_id = begin("status", selectionId=selection_id, **ask["status"])
    run_jobs(site)
    counts = job(job_id)["counts"]
    assert (counts["changed"], counts["unchanged"], counts["skipped"]) == (3, 2, 5)
    changed = [lead for lead in db.leads.find() if lead != before[lead["_id"]]]
    assert len(changed) == 3
    progress = db.activation_progress.find_one({"sessionId": job_id})
    assert progress["msg"] == "3 changed, 2 unchanged, 5 skipped."


def test_what_was_changed_by_whom_is_noted(site, db, admin, new_leads, ask, begin):
    (lead_id,) = new_leads(1, source="fair", tags=["cold", "old"])
    job_id = begin("tag", **FAIR, **ask["tag"])
    run_jobs(site)
    event = db.events.find_one({"leadId": lead_id})
    assert event["changes"] == {"tags": [["cold", "old"], ["old", "VIP", "fair"]]}
    assert (event["how"], event["jobId"]) == ("tag", job_id)
    assert event["by"] == {"id": admin.key, "name": admin.name}
    lead = db.leads.find_one()
    assert lead["updatedAt"] > lead["createdAt"]


def test_tags_differ_by_more_than_capitals_and_are_not_too_many(site, db, new_leads, begin, job):
    (known,) = new_leads(1, tags=["vip"])
    (full,) = new_leads(1, tags=[f"tag {n}" for n in range(20)])
    (odd,) = new_leads(1, tags="broken")
    job_id = begin("tag", filter={}, add=["VIP"])
    run_jobs(site)
    tags = {lead["_id"]: lead["tags"] for lead in db.leads.find()}
    assert tags[known] == ["vip"]
    assert len(tags[full]) == 20
    assert tags[odd] == ["VIP"]
    counts = job(job_id)["counts"]
    assert (counts["changed"], counts["unchanged"], counts["failed"]) == (1, 1, 1)


def test_what_failed_is_retried(site, api, db, new_leads, begin, job):
    (full,) = new_leads(1, tags=[f"tag {n}" for n in range(20)])
    new_leads(2)
    job_id = begin("tag", filter={}, add=["VIP"])
    run_jobs(site)
    db.leads.update_one({"_id": full}, {"$set": {"tags": ["one"]}})
    again = api.post(f"/crm/jobs/{job_id}/retry", {}).json["data"]["jobId"]
    run_jobs(site)
    assert db.leads.find_one({"_id": full})["tags"] == ["one", "VIP"]
    assert job(again)["counts"]["total"] == 1
    assert api.post(f"/crm/jobs/{job_id}/retry", {}).status_code == 409


def test_a_deleted_lead_takes_its_journal_with_it(site, db, new_leads, begin, preview, job):
    gone, active = new_leads(1, source="fair")[0], new_leads(1, source="fair", status="active")[0]
    entries = [{"leadId": lead_id, "text": "Spoke"} for lead_id in (gone, gone, active)]
    db.journal_entries.insert_many(entries)
    seen = preview("delete", **FAIR)
    assert (seen["toChange"], seen["skipped"]) == (1, {"has_account": 1})
    begin("delete", selectionId=seen["selectionId"])
    run_jobs(site)
    assert [lead["_id"] for lead in db.leads.find()] == [active]
    assert [entry["leadId"] for entry in db.journal_entries.find()] == [active]
    event = db.events.find_one({"type": "lead_deleted"})
    assert event["lead"] == {"name": "Lead 0", "email": "lead0@example.com"}


def test_the_same_press_again_starts_nothing(site, api, db, new_leads, ask, begin, preview):
    new_leads(2, source="fair")
    seen = preview("tag", **FAIR, **ask["tag"])["selectionId"]
    first = begin("tag", selectionId=seen, **ask["tag"])
    assert begin("tag", selectionId=seen, **ask["tag"]) == first
    run_jobs(site)
    assert begin("tag", selectionId=seen, **ask["tag"]) == first
    assert db.jobs.count_documents({}) == 1
    # Another action over a set that is gone is another matter.
    answer = api.post(f"{BULK}/delete", {"selectionId": seen})
    assert (answer.status_code, "select the leads again" in answer.json["msg"]) == (410, True)


def test_two_jobs_over_one_set_are_both_done(site, api, db, new_leads, ask, begin, job):
    """Whichever ends first leaves the set to the other."""
    new_leads(PART + 1)
    selection = api.post("/crm/leads/selections", {"filter": {}}).json["data"]["selectionId"]
    jobs = [begin(action, selectionId=selection, **ask[action]) for action in ("assign", "tag")]
    assert api.post(f"/crm/jobs/{jobs[1]}/pause", {}).status_code == 200
    run_jobs(site)
    assert api.post(f"/crm/jobs/{jobs[1]}/resume", {}).status_code == 200
    run_jobs(site)
    assert [job(each)["counts"]["changed"] for each in jobs] == [PART + 1, PART + 1]
    assert [job(each)["status"] for each in jobs] == ["completed", "completed"]
    assert not db.selections.find_one()
    assert not db.selection_parts.find_one()


def test_without_its_set_it_stops_and_says_so(site, db, new_leads, ask, begin, job):
    new_leads(2 * PART)
    job_id = begin("assign", filter={}, **ask["assign"])
    with site.app_context():
        runner = new_runner(site)
        (held,) = claim_all(runner)
        runner.step(held)
        db.selection_parts.delete_many({})
    while job(job_id)["status"] != "failed":
        with site.app_context():
            assert runner.step(held) is not None or job(job_id)["status"] == "failed"
    assert "kept no longer" in job(job_id)["problem"]
    assert job(job_id)["counts"]["changed"] == PART


@pytest.mark.parametrize("action", ["assign", "delete"])
def test_whoever_takes_over_does_nothing_twice(site, db, new_leads, ask, agent, begin, job, action):
    """Its runner stops between two chunks, and wakes up when another has gone on with it."""
    new_leads(3 * PART)
    job_id = begin(action, filter={}, **ask[action])
    runner = new_runner(site)
    with site.app_context():
        (held,) = claim_all(runner)
        runner.step(held)
        db.jobs.update_one({"_id": job_id}, {"$set": {"lease.until": now() - timedelta(1)}})
    assert job(job_id)["counts"]["changed"] == PART
    run_jobs(site)
    with site.app_context():
        assert runner.step(held) is None
    counts = {"total": 3 * PART, "changed": 3 * PART, "unchanged": 0, "skipped": 0, "failed": 0}
    assert job(job_id)["counts"] == counts
    assert db.events.count_documents({"jobId": job_id}) == 3 * PART


@pytest.mark.parametrize(
    ("presses", "status"), [(("pause",), "paused"), (("pause", "resume"), "completed")]
)
def test_it_is_paused_and_resumed(site, api, db, new_leads, ask, begin, job, presses, status):
    new_leads(2 * PART)
    job_id = begin("tag", filter={}, **ask["tag"])
    with site.app_context():
        runner = new_runner(site)
        (held,) = claim_all(runner)
        runner.step(held)
        for press in presses:
            assert api.post(f"/crm/jobs/{job_id}/{press}", {}).status_code == 200
        assert runner.step(held) is None
    run_jobs(site)
    assert job(job_id)["status"] == status
    changed = db.leads.count_documents({"tags": "VIP"})
    assert job(job_id)["counts"]["changed"] == changed == (PART if status == "paused" else 2 * PART)


def test_what_is_cancelled_leaves_the_rest_as_it_was(site, api, db, new_leads, ask, begin, job):
    new_leads(2 * PART)
    job_id = begin("delete", filter={}, **ask["delete"])
    with site.app_context():
        runner = new_runner(site)
        (held,) = claim_all(runner)
        runner.step(held)
    api.post(f"/crm/jobs/{job_id}/cancel", {})
    run_jobs(site)
    assert (job(job_id)["status"], job(job_id)["counts"]["changed"]) == ("cancelled", PART)
    assert db.leads.count_documents({}) == PART
    assert not db.selections.find_one()
    progress = db.activation_progress.find_one({"sessionId": job_id})
    assert progress["msg"] == "Cancelled: 500 leads not reached and left as before. 500 deleted."


@pytest.mark.parametrize(
    ("path", "body", "status", "msg"),
    [
        ("shred", FAIR, 404, "There is no action 'shred'"),
        ("assign", FAIR, 400, "Say to whom"),
        ("assign", {**FAIR, "agentId": "a" * 24}, 422, "There is no such person"),
        ("assign", {**FAIR, "agentId": {"$ne": None}}, 400, "agentId must be text"),
        ("status", {**FAIR, "status": "active"}, 422, "status must be one of new, contacted"),
        ("status", {**FAIR, "status": ["new"]}, 400, "status must be text"),
        ("tag", FAIR, 422, "Name at least one tag"),
        ("tag", {**FAIR, "add": "VIP"}, 400, "add must be a list of tags"),
        ("tag", {**FAIR, "add": [{"$ne": 1}]}, 400, "add must be a list of tags"),
        ("tag", {**FAIR, "add": ["a;b"]}, 400, "holds a comma or a semicolon"),
        ("tag", {**FAIR, "add": ["x" * 41]}, 400, "is longer than 40 characters"),
        ("tag", {**FAIR, "add": ["a"], "remove": ["A"]}, 422, "to be added and removed"),
        ("delete", {}, 400, "Send one of leadIds"),
        ("delete", {**FAIR, "leadIds": ["a" * 24]}, 400, "Send one of leadIds"),
        ("delete", {"filter": {"source": "nowhere"}}, 422, "No lead matches"),
        ("delete", {"selectionId": "selection_x"}, 410, "kept no longer"),
    ],
)
@pytest.mark.parametrize("step", ["", "/preview"])
def test_what_cannot_be_asked(api, db, new_leads, path, body, status, msg, step):
    new_leads(1, source="fair")
    answer = api.post(f"{BULK}/{path}{step}", body)
    assert (answer.status_code, msg in answer.json["msg"]) == (status, True), answer.json
    assert not db.jobs.find_one()


def test_a_disabled_account_gets_no_leads(api, db, agent, new_leads):
    new_leads(1)
    db.users.update_one({"_id": agent.key}, {"$set": {"status": "disabled"}})
    answer = api.post(f"{BULK}/assign", {"filter": {}, "agentId": agent.id})
    assert (answer.status_code, "is disabled" in answer.json["msg"]) == (422, True)


def test_only_the_back_office_may(new_api, new_person, visitor, new_leads):
    ids = [str(i) for i in new_leads(1)]
    for role in (Role.AGENT, Role.USER):
        caller = new_api(new_person(f"{role}@example.com", role))
        assert caller.post(f"{BULK}/delete", {"leadIds": ids}).status_code == 403
    assert ObjectId.is_valid(ids[0])
    answer = visitor.client.post(f"{BULK}/delete", json={"leadIds": ids})
    assert answer.status_code == 401
