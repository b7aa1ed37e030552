"""A job is run by one at a time, and a dead runner holds up nobody."""

import threading

import pytest
from bson import ObjectId

from crmapp import database
from crmapp.jobs import jobs, leases
from crmapp.jobs.leases import LeaseLost
from tests.support.waiting import until

JOB = "activation_1700000000000_abcd"


@pytest.fixture
def new_job(db):
    def new(job_id=JOB, **fields):
        job = jobs.new_job(job_id, "activation", ObjectId(), "Ann", {"filter": {}}, 10)
        jobs.record(db, {**job, **fields})

    return new


def stored(db, job_id=JOB):
    return db.jobs.find_one({"_id": job_id})


def test_a_job_has_one_runner(db, new_job):
    new_job()
    lease = leases.claim(db, 60)
    assert lease.job_id == JOB
    assert stored(db)["status"] == "running"
    assert stored(db)["startTime"]
    assert leases.claim(db, 60) is None
    leases.give_back(db, lease)
    assert leases.claim(db, 60).token != lease.token
    assert stored(db)["takeovers"] == 0


def test_of_many_who_claim_at_once_one_wins(db, new_job):
    new_job()
    together, won = threading.Barrier(8), []

    def claim():
        together.wait()
        won.append(leases.claim(db, 60))

    threads = [threading.Thread(target=claim) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [lease.token for lease in won if lease] == [stored(db)["lease"]["token"]]


def test_the_oldest_job_comes_first_and_one_may_be_asked_for(db, new_job):
    for name in ("first", "second", "third"):
        new_job(name)
    assert leases.claim(db, 60, {"_id": "second"}).job_id == "second"
    assert [leases.claim(db, 60).job_id for _ in range(2)] == ["first", "third"]
    assert leases.claim(db, 60) is None


@pytest.mark.parametrize(
    "fields",
    [{"phase": "mailing"}, {"status": "paused"}, {"status": "completed"}, {"status": "cancelled"}],
)
def test_a_job_that_needs_no_runner_gets_none(db, new_job, fields):
    new_job(**fields)
    assert leases.claim(db, 60) is None


def test_a_lease_that_has_lapsed_goes_to_another_and_the_first_writes_nothing(db, new_job):
    new_job()
    stalled = leases.claim(db, 0)
    heir = until(lambda: leases.claim(db, 60))
    assert stored(db)["takeovers"] == 1
    before = stored(db)
    with pytest.raises(LeaseLost):
        leases.write(db, stalled, {"counts.activated": 5}, in_transaction=False)
    with pytest.raises(LeaseLost), stalled.session.start_transaction():
        leases.write(db, stalled, {"counts.activated": 5})
    leases.give_back(db, stalled, {"phase": "mailing"})
    assert stored(db) == before
    leases.write(db, heir, {"counts.activated": 7}, in_transaction=False)
    assert stored(db)["counts"]["activated"] == 7


def test_every_write_renews_the_lease(db, new_job):
    new_job()
    lease = leases.claim(db, 60)
    first = stored(db)["lease"]["until"]
    until(
        lambda: (
            leases.write(db, lease, {}, in_transaction=False)
            or stored(db)["lease"]["until"] > first
        )
    )


def test_giving_back_writes_the_last_changes(db, new_job):
    new_job()
    lease = leases.claim(db, 60)
    leases.give_back(db, lease, {"phase": "mailing", "workedAt": "$$NOW"})
    job = stored(db)
    assert (job["phase"], job["lease"]) == ("mailing", None)
    assert job["workedAt"] >= job["startTime"]


def test_the_open_transaction_of_a_dead_runner_is_ended_at_once(db, environ, new_job):
    new_job()
    db.leads.insert_one({"_id": 1, "status": "activating"})
    dead = leases.claim(db, 0)
    dead.session.start_transaction()
    db.leads.update_one({"_id": 1}, {"$set": {"status": "active"}}, session=dead.session)
    leases.write(db, dead, {"counts.activated": 1})
    # Another process; without ending it, its writes would wait for a minute.
    other, done = database.connect(environ["MONGODB_URI"]), []

    def take_over():
        lease = until(lambda: leases.claim(other, 60))
        with lease.session.start_transaction():
            moved = {"$set": {"status": "active"}}
            other.leads.update_one({"_id": 1}, moved, session=lease.session)
            leases.write(other, lease, {"counts.activated": 1})
        done.append(lease)

    threading.Thread(target=take_over, daemon=True).start()
    (lease,) = until(lambda: done, 10)
    assert stored(db)["lease"]["token"] == lease.token
    assert stored(db)["counts"]["activated"] == 1
    other.client.close()
