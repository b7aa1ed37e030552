"""Starting: once however often it is asked for, and over the leads that were selected then."""

import re
import threading

import pytest

from crmapp.accounts.users import Role
from tests.support.waiting import until
from tests.support.work import run_jobs

START = "/crm/leads/activate"
SESSION_ID = "activation_1700000000000_k3j9x2"


def at_once(*calls):
    """Call all of them at the same moment; returns what they return."""
    together, answers = threading.Barrier(len(calls)), [None] * len(calls)

    def run(number):
        together.wait()
        answers[number] = calls[number]()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_ten_identical_requests_at_once_start_one_session(db, server, admin, new_leads, sign_in):
    new_leads(70)
    body = {"filter": {}, "sessionId": SESSION_ID}
    programs = [sign_in(server) for _ in range(10)]
    answers = at_once(*[lambda program=program: program.post(START, body) for program in programs])
    assert {answer.status_code for answer in answers} == {202}
    assert {answer.text for answer in answers} == {answers[0].text}
    assert answers[0].json()["data"] == {"sessionId": SESSION_ID, "total": 70}
    until(lambda: db.jobs.find_one({"_id": SESSION_ID})["phase"] in ("mailing", "over"))
    assert db.jobs.count_documents({}) == db.activation_progress.count_documents({}) == 1
    assert db.users.count_documents({"leadId": {"$ne": None}}) == 70
    assert len(db.users.distinct("leadId", {"activationId": SESSION_ID})) == 70
    assert len(db.pending_emails.distinct("userId")) == db.pending_emails.count_documents({}) == 70


def test_the_same_id_again_answers_with_the_same_session(site, db, api, new_leads):
    new_leads(3)
    assert api.activate(filter={}, sessionId=SESSION_ID) == SESSION_ID
    run_jobs(site)
    new_leads(5)
    again = api.post(START, {"filter": {}, "sessionId": SESSION_ID})
    assert (again.status_code, again.json["data"]) == (202, {"sessionId": SESSION_ID, "total": 3})
    run_jobs(site)
    assert db.jobs.count_documents({}) == 1
    assert db.leads.count_documents({"status": "new"}) == 5


def test_without_an_id_the_server_makes_one(api, new_leads):
    new_leads(2)
    first = api.activate(filter={"q": "lead0@"})
    second = api.activate(filter={"q": "lead1@"})
    assert first != second
    assert re.fullmatch(r"activation_\d{13}_[0-9a-z]+", first)


def test_somebody_elses_id_is_refused(db, api, new_api, new_person, new_leads):
    new_leads(2)
    api.activate(filter={}, sessionId=SESSION_ID)
    bob, sue = new_person("bob@example.com"), new_person("sue@example.com", Role.SUPERADMIN)
    body = {"filter": {}, "sessionId": SESSION_ID}
    refused = new_api(bob).post(START, body)
    assert refused.status_code == 403
    assert refused.json["msg"] == "This job belongs to another administrator."
    assert new_api(sue).post(START, body).json["data"]["sessionId"] == SESSION_ID
    assert db.jobs.count_documents({}) == 1


def test_the_selection_is_frozen_at_the_start(site, db, api, new_leads):
    first = new_leads(4, status="qualified")
    changed = new_leads(1, status="new")
    session_id = api.activate(filter={"status": "qualified"})
    late = new_leads(2, status="qualified")
    db.leads.update_one({"_id": changed[0]}, {"$set": {"status": "qualified"}})
    run_jobs(site)
    assert db.leads.distinct("_id", {"status": "active"}) == first
    assert db.leads.distinct("_id", {"status": "qualified"}) == [*changed, *late]
    assert db.activation_progress.find_one({"sessionId": session_id})["total"] == 4


def test_leads_that_are_left_out_keep_their_status(site, db, api, new_leads, new_person):
    new_person("taken@example.com")
    (skipped,) = new_leads(1, email="taken@example.com", status="contacted")
    (failed,) = new_leads(1, email="nonsense", status="qualified")
    (active,) = new_leads(1)
    session_id = api.activate()
    assert db.leads.distinct("status") == ["activating"]
    run_jobs(site)

    def lead(id):
        return db.leads.find_one({"_id": id})

    assert lead(skipped)["status"] == "contacted"
    assert lead(failed)["status"] == "failed"
    assert lead(active)["status"] == "active"
    assert "previousStatus" not in lead(skipped)
    rows = {row["leadId"]: row for row in db.job_errors.find({"jobId": session_id})}
    assert rows[skipped]["reason"] == "already_a_user"
    assert (rows[failed]["reason"], rows[failed]["email"]) == ("invalid_email", "nonsense")
    assert set(rows) == {skipped, failed}


def test_two_sessions_over_overlapping_leads(site, db, new_api, admin, new_person, new_leads):
    ids = [str(lead) for lead in new_leads(150)]
    ann, bob = new_api(admin), new_api(new_person("bob@example.com"))
    sessions = at_once(
        lambda: ann.activate(leadIds=ids[:100]), lambda: bob.activate(leadIds=ids[50:])
    )
    run_jobs(site)
    first, second = (db.activation_progress.find_one({"sessionId": s}) for s in sessions)
    assert first["total"] == second["total"] == 100
    assert first["activated"] + second["activated"] == 150
    assert first["skipped"] + second["skipped"] == 50
    assert db.job_errors.distinct("reason") == ["held_by_another_session"]
    assert db.job_errors.count_documents({}) == 50
    assert db.leads.count_documents({"status": "active"}) == 150
    assert db.users.count_documents({"leadId": {"$ne": None}}) == 150
    for session in (first, second):
        made = db.users.count_documents({"activationId": session["sessionId"]})
        assert made == session["activated"]


def test_a_session_keeps_the_leads_that_it_holds(site, db, api, new_api, new_person, new_leads):
    ids = [str(lead) for lead in new_leads(6)]
    bob = new_api(new_person("bob@example.com"))
    anns = api.activate(leadIds=ids[:4])
    bobs = bob.activate(leadIds=ids[2:])
    run_jobs(site)

    def counts(session_id):
        progress = db.activation_progress.find_one({"sessionId": session_id})
        return progress["total"], progress["activated"], progress["skipped"]

    assert (counts(anns), counts(bobs)) == ((4, 4, 0), (4, 2, 2))
    assert db.job_errors.distinct("jobId") == [bobs]


def test_a_lead_that_is_deleted_in_the_middle(site, db, api, new_leads):
    ids = new_leads(5)
    session_id = api.activate()
    db.leads.delete_many({"_id": {"$in": ids[1:3]}})
    run_jobs(site)
    progress = db.activation_progress.find_one({"sessionId": session_id})
    assert (progress["total"], progress["activated"], progress["usersDone"]) == (3, 3, True)
    assert db.users.count_documents({"leadId": {"$ne": None}}) == 3


@pytest.mark.parametrize("moment", ["before anything was marked", "after some were marked"])
def test_a_freeze_that_was_killed_is_finished(site, db, api, new_leads, moment):
    """What a process leaves behind that dies in the request."""
    ids = new_leads(4)
    (held,) = new_leads(1, status="activating", activationId="activation_1600000000000_aaaa")
    session_id = api.activate(leadIds=[str(lead) for lead in (*ids, held)])
    db.jobs.update_one(
        {"_id": session_id},
        {
            "$set": {
                "phase": "selecting",
                "selection": {"leadIds": [*ids, held]},
                "counts": {"total": 5, "activated": 0, "skipped": 0, "failed": 0},
            }
        },
    )
    marked = ids[:2] if moment.startswith("after") else []
    db.leads.update_many(
        {"_id": {"$nin": [*marked, held]}},
        {"$set": {"status": "new"}, "$unset": {"activationId": 1}},
    )
    # Meanwhile the other session has let go of what it held.
    db.leads.update_one({"_id": held}, {"$set": {"status": "new"}, "$unset": {"activationId": 1}})
    run_jobs(site)
    counts = db.jobs.find_one({"_id": session_id})["counts"]
    assert (counts["total"], counts["activated"], counts["skipped"]) == (5, 5, 0)
    assert db.job_errors.count_documents({}) == 0
    assert db.leads.count_documents({"status": "active"}) == 5


def test_an_address_in_two_chunks_becomes_one_user(site, db, api, new_leads, caplog):
    new_leads(1, email="double@example.com")
    new_leads(60)
    new_leads(1, email="double@example.com")
    session_id = api.activate()
    run_jobs(site)
    progress = db.activation_progress.find_one({"sessionId": session_id})
    assert (progress["activated"], progress["skipped"]) == (61, 1)
    assert db.job_errors.distinct("reason") == ["duplicate_in_selection"]
    assert caplog.records == []
