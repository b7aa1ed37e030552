"""An activation is undone while it is harmless."""

from datetime import timedelta

import pytest

from crmapp.accounts import users
from crmapp.clock import now
from crmapp.mailqueue import queue
from tests.support.visitor import Caller
from tests.support.work import refresh, run_jobs

LEADS = 6


@pytest.fixture
def site(new_site, db):
    return new_site(UNDO_SECONDS="60")


@pytest.fixture
def api(site, admin):
    return Caller(site, admin)


@pytest.fixture
def activated(site, api, new_leads):
    new_leads(LEADS - 1, status="contacted")
    new_leads(1, email="nonsense", status="qualified")
    job_id = api.activate()
    run_jobs(site)
    return job_id


def undo(api, job_id, status=200):
    answer = api.post(f"/crm/jobs/{job_id}/undo", {})
    assert answer.status_code == status, answer.text
    return answer.json


def without_times(leads):
    return sorted(leads, key=lambda lead: lead["_id"])


def test_invitations_are_held_back_until_it_is_too_late(db, activated):
    until = db.jobs.find_one()["undoUntil"]
    assert until > now() + timedelta(seconds=50)
    assert all(mail["visibleAt"] > until for mail in db.pending_emails.find())
    assert queue.claim(db, 10, 60) == []
    progress = db.activation_progress.find_one()
    assert "undo" in progress["actions"]
    assert progress["undoUntil"] == until


def test_everything_is_what_it_was(site, db, api, new_leads):
    new_leads(LEADS - 1, status="contacted")
    new_leads(1, email="nonsense", status="qualified")
    before = without_times(db.leads.find())
    job_id = api.activate()
    run_jobs(site)
    undo(api, job_id)
    run_jobs(site)
    assert without_times(db.leads.find()) == before
    assert db.users.count_documents({"role": "user"}) == 0
    assert db.pending_emails.count_documents({}) == 0
    assert db.job_errors.count_documents({}) == 0
    job = db.jobs.find_one()
    assert (job["status"], job["phase"]) == ("cancelled", "over")
    assert job["undo"] == {"removed": LEADS - 1, "left": 0}
    progress = db.activation_progress.find_one()
    assert progress["completed"]
    assert (progress["activated"], progress["remaining"]) == (0, LEADS)
    assert progress["msg"].startswith(f"Undone: {LEADS - 1} users removed")


def test_what_somebody_has_acted_on_is_left_and_named(site, db, api, activated):
    with_password, sent, in_flight = list(db.users.find({"role": "user"}).limit(3))
    users.choose_password(db, with_password["_id"], with_password["inviteNonce"], "hash")
    db.pending_emails.update_many(
        {"userId": {"$in": [sent["_id"], in_flight["_id"]]}}, {"$set": {"visibleAt": now()}}
    )
    for mail in queue.claim(db, 10, 60):
        if mail["userId"] == sent["_id"]:
            queue.note_sent(db, [(mail, "250 taken")])
            queue.remove_sent(db, [mail])
    undo(api, activated)
    run_jobs(site)
    kept = {row["leadId"]: row["reason"] for row in db.job_errors.find({"state": "kept"})}
    assert kept == {
        with_password["_id"]: "in_use",
        sent["_id"]: "invitation_sent",
        in_flight["_id"]: "invitation_sent",
    }
    assert set(db.users.distinct("_id", {"role": "user"})) == set(kept)
    assert set(db.leads.distinct("_id", {"status": "active"})) == set(kept)
    job = db.jobs.find_one()
    assert job["undo"] == {"removed": LEADS - 1 - 3, "left": 3}
    assert job["counts"]["activated"] == 3
    assert "3 users kept" in db.activation_progress.find_one()["msg"]


def test_a_user_who_sets_a_password_in_the_middle_is_kept(site, db, api, activated, monkeypatch):
    from crmapp.activation.backward import Backward

    first = db.users.find_one({"role": "user"})
    acted_on = Backward._acted_on

    def and_then(self, user_ids, session):
        found = acted_on(self, user_ids, session)
        users.choose_password(db, first["_id"], first["inviteNonce"], "hash")
        return found

    monkeypatch.setattr(Backward, "_acted_on", and_then)
    undo(api, activated)
    run_jobs(site)
    assert db.users.distinct("_id", {"role": "user"}) == [first["_id"]]
    assert db.job_errors.find_one({"state": "kept"})["leadId"] == first["_id"]


def test_leads_that_were_not_reached_are_given_back_too(site, db, api, new_leads):
    new_leads(LEADS, status="contacted")
    job_id = api.activate()
    undo(api, job_id)
    run_jobs(site)
    assert db.leads.distinct("status") == ["contacted"]
    assert db.users.count_documents({"role": "user"}) == 0
    assert db.jobs.find_one()["status"] == "cancelled"


def test_undone_twice_is_undone_once(site, db, api, activated):
    undo(api, activated)
    undo(api, activated)
    run_jobs(site)
    undo(api, activated)
    assert [entry["what"] for entry in db.jobs.find_one()["trail"]].count("undone") == 1


def test_too_late(site, db, api, activated):
    db.jobs.update_one({}, {"$set": {"undoUntil": now() - timedelta(seconds=1)}})
    assert "too late" in undo(api, activated, status=409)["msg"]
    refresh(site, activated)
    assert "undo" not in db.activation_progress.find_one()["actions"]
    assert db.users.count_documents({"role": "user"}) == LEADS - 1


def test_zero_turns_it_off(new_site, db, admin, new_leads):
    site = new_site(UNDO_SECONDS="0")
    api = Caller(site, admin)
    new_leads(1)
    job_id = api.activate()
    run_jobs(site)
    assert len(queue.claim(db, 10, 60)) == 1
    assert undo(api, job_id, status=409)


def test_a_lead_that_had_failed_before_and_was_skipped_is_left_alone(site, db, api, new_leads):
    """Its address is another's in the selection."""
    (first,) = new_leads(1)
    email = db.leads.find_one({"_id": first})["email"]
    (twice,) = new_leads(1, email=email, status="failed", activationId="activation_1_before")
    before = without_times(db.leads.find())
    job_id = api.activate()
    run_jobs(site)
    assert db.jobs.find_one()["counts"]["skipped"] == 1
    assert db.leads.find_one({"_id": twice})["activationId"] == "activation_1_before"
    undo(api, job_id)
    run_jobs(site)
    assert without_times(db.leads.find()) == before
    assert db.jobs.find_one()["counts"] == {"total": 2, "activated": 0, "skipped": 1, "failed": 0}
    assert db.job_errors.count_documents({"jobId": job_id}) == 1


def test_an_undone_retry_may_be_retried_again(site, db, api, activated):
    db.leads.update_many({"status": "failed"}, {"$set": {"email": "mended@example.com"}})
    second = api.post(f"/crm/jobs/{activated}/retry", {}).json["data"]["jobId"]
    run_jobs(site)
    undo(api, second)
    run_jobs(site)
    assert db.users.count_documents({"email": "mended@example.com"}) == 0
    progress = db.activation_progress.find_one({"sessionId": activated})
    assert "retry" in progress["actions"]
    assert api.post(f"/crm/jobs/{activated}/retry", {}).json["data"]["total"] == 1


def test_mail_that_was_tried_already_keeps_its_time(site, db, api, activated):
    tried = db.pending_emails.find_one()
    later = now() + timedelta(hours=2)
    changes = {"attempts": 1, "visibleAt": later.replace(microsecond=0)}
    db.pending_emails.update_one({"_id": tried["_id"]}, {"$set": changes})
    db.events.insert_one(queue.event(tried, queue.MailEvent.DEFERRED, "450 later"))
    undo(api, activated)
    run_jobs(site)
    (left,) = db.pending_emails.find()
    assert (left["_id"], left["visibleAt"]) == (tried["_id"], changes["visibleAt"])
