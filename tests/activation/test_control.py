"""Pause, resume, cancel and retry of an activation, chunk by chunk."""

import pytest

from crmapp.accounts.users import Role
from tests.support.ledger import assert_adds_up
from tests.support.work import claim_all, new_runner, refresh, run_jobs

LEADS = 120


@pytest.fixture
def begin(site, api, new_leads):
    """Starts an activation and does `steps` of its chunks; returns its id, and the rest of its run."""

    def begin(steps, leads=LEADS):
        new_leads(leads, status="contacted")
        job_id = api.activate()
        runner = new_runner(site)
        with site.app_context():
            (held,) = claim_all(runner)
            for _ in range(steps):
                assert runner.step(held) == 0.0

        def go_on():
            with site.app_context():
                return runner.step(held)

        return job_id, go_on

    return begin


@pytest.fixture
def press(api):
    def press(job_id, action, status=200, prefix="/crm/jobs"):
        answer = api.post(f"{prefix}/{job_id}/{action}", {})
        assert answer.status_code == status, answer.text
        return answer.json.get("data") or answer.json

    return press


@pytest.fixture
def job(db):
    return lambda job_id: db.jobs.find_one({"_id": job_id})


@pytest.mark.parametrize("prefix", ["/crm/jobs", "/crm/activation"])
def test_a_paused_job_does_nothing_more_until_it_is_resumed(site, db, begin, press, job, prefix):
    job_id, go_on = begin(1)
    assert press(job_id, "pause", prefix=prefix)["job"]["status"] == "paused"
    created = db.users.count_documents({"activationId": job_id})
    assert 0 < created < LEADS
    assert go_on() is None
    run_jobs(site)
    assert db.users.count_documents({"activationId": job_id}) == created
    progress = db.activation_progress.find_one()
    assert (progress["status"], progress["completed"]) == ("paused", False)
    assert progress["actions"] == ["resume", "cancel"]
    assert "expireAt" not in progress

    assert press(job_id, "resume", prefix=prefix)["job"]["status"] == "running"
    run_jobs(site)
    assert_adds_up(db, job_id, LEADS)
    assert job(job_id)["takeovers"] == 0


def test_what_is_pressed_twice_happens_once(begin, press, job):
    job_id, _ = begin(1)
    for action in ("pause", "pause", "resume", "resume", "cancel", "cancel"):
        press(job_id, action)
    happened = [entry["what"] for entry in job(job_id)["trail"]]
    assert happened == ["started", "taken_up", "paused", "resumed", "cancelled"]


def test_a_cancelled_job_gives_back_what_it_has_not_reached(site, db, begin, press, job):
    job_id, go_on = begin(1)
    press(job_id, "cancel")
    assert go_on() is None
    run_jobs(site)
    created = db.users.count_documents({"activationId": job_id})
    assert 0 < created < LEADS
    given_back = list(db.leads.find({"userId": {"$exists": False}}))
    assert len(given_back) == LEADS - created
    assert {lead["status"] for lead in given_back} == {"contacted"}
    assert not any({"activationId", "previousStatus"} & set(lead) for lead in given_back)
    assert job(job_id)["status"] == "cancelled"
    progress = db.activation_progress.find_one()
    assert (progress["activated"], progress["remaining"]) == (created, LEADS - created)
    assert f"{LEADS - created} leads not reached" in progress["msg"]
    # Its invitations still leave, and only then is it over.
    assert (progress["completed"], progress["emailsPending"]) == (False, created)


def test_a_cancelled_job_is_over_when_its_mail_is(site, db, begin, press, job):
    job_id, _ = begin(1)
    press(job_id, "cancel")
    run_jobs(site)
    for mail in db.pending_emails.find():
        db.pending_emails.delete_one({"_id": mail["_id"]})
        db.failed_emails.insert_one(mail)
    refresh(site, job_id)
    ended = job(job_id)
    assert (ended["status"], ended["phase"]) == ("cancelled", "over")
    assert ended["endTime"]
    assert db.activation_progress.find_one()["completed"]
    for action in ("pause", "resume", "undo"):
        press(job_id, action, status=409)
    press(job_id, "cancel")


def test_a_paused_job_can_be_cancelled(site, db, begin, press):
    job_id, _ = begin(1)
    press(job_id, "pause")
    press(job_id, "cancel")
    run_jobs(site)
    assert db.leads.count_documents({"status": "activating"}) == 0
    assert db.activation_progress.find_one()["status"] == "cancelled"


def test_given_back_leads_can_be_activated_anew(site, db, api, begin, press):
    job_id, _ = begin(1)
    press(job_id, "cancel")
    run_jobs(site)
    again = api.activate()
    run_jobs(site)
    assert db.leads.count_documents({"status": "active"}) == LEADS
    assert db.users.count_documents({"activationId": again}) < LEADS


def test_with_only_mail_left_there_is_nothing_to_pause(site, api, new_leads, press):
    new_leads(1)
    job_id = api.activate()
    run_jobs(site)
    for action in ("pause", "cancel"):
        assert "only mail" in press(job_id, action, status=409)["msg"]


def test_somebody_elses_job_is_refused_and_a_superadmin_may(begin, new_api, new_person, job):
    job_id, _ = begin(1)
    bob = new_api(new_person("bob@example.com"))
    for action in ("pause", "resume", "cancel", "undo", "retry"):
        assert bob.post(f"/crm/jobs/{job_id}/{action}", {}).status_code == 403
    assert job(job_id)["status"] == "running"
    root = new_api(new_person("root@example.com", Role.SUPERADMIN))
    assert root.post(f"/crm/jobs/{job_id}/pause", {}).status_code == 200
    assert job(job_id)["trail"][-1]["by"]["name"] == "Root"


def test_an_unknown_job_is_not_found(press):
    assert "no such job" in press("activation_1700000000000_abcd", "pause", status=404)["msg"]


def test_retry_takes_the_failed_ones_only_and_is_linked(site, db, api, new_leads, press, job):
    new_leads(3)
    (broken,) = new_leads(1, email="nonsense")
    first = api.activate()
    run_jobs(site)
    db.leads.update_one({"_id": broken}, {"$set": {"email": "mended@example.com"}})
    answer = press(first, "retry", status=202)
    assert answer["total"] == 1
    assert press(first, "retry", status=202)["jobId"] == answer["jobId"]
    run_jobs(site)
    second = job(answer["jobId"])
    assert second["retryOf"] == first
    assert second["counts"] == {"total": 1, "activated": 1, "skipped": 0, "failed": 0}
    assert job(first)["trail"][-1]["note"] == second["_id"]
    assert db.users.find_one({"_id": broken})["email"] == "mended@example.com"
    db.pending_emails.delete_many({})
    db.jobs.update_one({"_id": second["_id"]}, {"$set": {"phase": "over"}})
    assert "nothing is left" in press(first, "retry", status=409)["msg"]


def test_a_cancelled_retry_leaves_them_to_be_retried(site, db, api, new_leads, press):
    new_leads(1)
    new_leads(2, email="nonsense")
    first = api.activate()
    run_jobs(site)
    second = press(first, "retry", status=202)["jobId"]
    press(second, "cancel")
    run_jobs(site)
    assert db.leads.count_documents({"status": "failed", "activationId": first}) == 2
    assert db.jobs.find_one({"_id": first}).get("retry") is None
    assert press(first, "retry", status=202)["total"] == 2


def test_without_a_failed_item_there_is_nothing_to_retry(site, begin, press):
    job_id, go_on = begin(1)
    assert "Wait until" in press(job_id, "retry", status=409)["msg"]
    run_jobs(site)
    while go_on() is not None:
        pass
    assert "nothing to retry" in press(job_id, "retry", status=409)["msg"]


def test_a_retry_belongs_to_whoever_the_job_belongs_to(
    site, db, api, admin, new_leads, new_api, new_person, job
):
    new_leads(1)
    new_leads(1, email="nonsense")
    first = api.activate()
    run_jobs(site)
    root = new_api(new_person("root@example.com", Role.SUPERADMIN))
    second = root.post(f"/crm/jobs/{first}/retry", {}).json["data"]["jobId"]
    assert job(second)["userId"] == admin.key
    assert job(second)["trail"][0]["by"]["name"] == "Root"
    assert api.post(f"/crm/jobs/{first}/retry", {}).json["data"]["jobId"] == second
