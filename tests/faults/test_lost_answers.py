"""The database fails in the middle of a step: whether or not what was written is there, nothing is done twice or left
out."""

import pytest

from crmapp.clock import now
from crmapp.imports import run as import_run
from crmapp.leads import selections
from crmapp.sync import run as sync_run
from tests.imports.desk import ImportDesk
from tests.support.replica_set import ReplicaSet
from tests.support.work import claim_all, new_runner

LEADS = 45
SEVERAL = 10  # at once
UNCONFIRMED = {"code": 64, "errmsg": "not replicated in time", "errInfo": {"wtimeout": True}}


@pytest.fixture(scope="module")
def own_mongod(tmp_path_factory):
    mongod = ReplicaSet(tmp_path_factory.mktemp("lost"), size=1).start()
    yield mongod
    mongod.end()


@pytest.fixture
def environ(environ, own_mongod):
    environ["MONGODB_URI"] = own_mongod.new_uri()
    return environ


@pytest.fixture
def set_fault(own_mongod):
    (node,) = own_mongod.nodes

    def set_fault(mode, **fault):
        node.ask(
            "configureFailPoint", "failCommand", mode=mode, data={"appName": "crmapp", **fault}
        )

    yield set_fault
    set_fault("off")


def lose_answers_of_commits(set_fault, number):
    """What is committed is there, but nobody says so."""
    if number < 8:
        set_fault({"times": 1}, failCommands=["commitTransaction"], writeConcernError=UNCONFIRMED)


def break_reads(set_fault, number):
    """In every second step, each time a later one; in the others all is well."""
    if number % 2 == 0 and number < 24:
        set_fault({"skip": number // 4}, failCommands=["find", "getMore"], errorCode=8000)
    else:
        set_fault("off")


@pytest.fixture(params=[lose_answers_of_commits, break_reads], ids=lambda param: param.__name__)
def run_job(request, site, set_fault):
    """Run the one job that there is, with such faults."""

    def run_job():
        runner = new_runner(site)
        with site.app_context():
            (held,) = claim_all(runner)
            number, pause = 0, 0.0
            while pause is not None:
                request.param(set_fault, number)
                # Or it would give the job up.
                held.troubles = 0
                number, pause = number + 1, runner.step(held)
        set_fault("off")

    return run_job


def counts_of(db):
    job = db.jobs.find_one({})
    assert job["phase"] != "working", job
    counts = {name: count for name, count in job["counts"].items() if count}
    assert counts["total"] == sum(counts.values()) - counts["total"]
    return counts


def test_an_activation(db, new_leads, api, run_job):
    new_leads(LEADS)
    api.activate()
    run_job()
    assert counts_of(db) == {"total": LEADS, "activated": LEADS}
    assert db.users.count_documents({"role": "user"}) == LEADS
    assert db.pending_emails.count_documents({}) == LEADS


def test_a_job_over_many_leads(db, new_leads, api, run_job, monkeypatch):
    monkeypatch.setattr(selections, "PART", SEVERAL)
    new_leads(LEADS)
    answer = api.post("/crm/leads/bulk/tag", {"filter": {}, "add": ["vip"]})
    assert answer.status_code == 202, answer.text
    run_job()
    assert counts_of(db) == {"total": LEADS, "changed": LEADS}
    assert db.events.count_documents({"jobId": {"$exists": True}}) == LEADS


def test_an_import(db, site, api, run_job, monkeypatch):
    monkeypatch.setattr(import_run, "LOOKED_AT_ONCE", SEVERAL)
    monkeypatch.setattr(import_run, "WRITTEN_AT_ONCE", SEVERAL)
    desk = ImportDesk(db, site, api)
    rows = [f"Person {number},person{number}@example.com" for number in range(LEADS)]
    desk.start(desk.bring("\n".join(["name,email", *rows]))["id"])
    run_job()
    assert counts_of(db) == {"total": LEADS, "imported": LEADS}
    assert len(desk.emails()) == LEADS


def test_a_sync(db, new_leads, admin, api, run_job, monkeypatch):
    monkeypatch.setattr(sync_run, "ROW_SIZE", SEVERAL)
    (lead_id,) = new_leads(1)
    db.journal_entries.insert_many(
        {"leadId": lead_id, "kind": "call", "text": f"Call {number}", "at": now()}
        for number in range(LEADS)
    )
    assert api.post("/api/ml/sync/journal_entries", {}).status_code == 202
    run_job()
    counts = counts_of(db)
    assert counts["total"] == LEADS
    assert "failed" not in counts
    assert db.documents.count_documents({}) == LEADS
