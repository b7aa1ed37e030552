"""What the runner does with a job that cannot go on."""

import threading

import pytest
from pymongo.errors import AutoReconnect, OperationFailure

from crmapp.clock import now
from crmapp.jobs import control, jobs, leases
from crmapp.jobs.jobs import JobFault
from crmapp.jobs.kinds import Kind
from crmapp.jobs.runner import MOST_DEATHS, MOST_TROUBLES, Runner
from crmapp.requests import BadInput
from tests.support.waiting import until


class Scripted:
    """A run whose steps are told beforehand: True and False are returned, exceptions are raised, others called."""

    def __init__(self, *steps):
        self.steps = list(steps)

    def step(self):
        step = self.steps.pop(0)
        if isinstance(step, Exception):
            raise step
        return step() if callable(step) else step


@pytest.fixture
def new_job(db, admin):
    def new(job_id="goals_1", **more):
        job = jobs.new_job(job_id, "activation", admin.key, admin.name, {}, 5, **more)
        db.jobs.insert_one(job | {"phase": "working"})
        return job_id

    return new


@pytest.fixture
def runner_of(app, db):
    """A runner whose jobs do what `steps` say."""

    def runner_of(*steps):
        run = Scripted(*steps)
        kind = Kind(
            "activation",
            "Activation",
            "lead",
            "leads",
            ("activated",),
            lambda db, lease, touch: run,
            lambda numbers: "",
            lambda db, user, job: job,
            {},
        )
        return Runner(db, {"activation": kind}, lease_seconds=10, touch=lambda key: None)

    return runner_of


def steps_until_the_end(runner, held):
    pauses = []
    while (pause := runner.step(held)) is not None:
        pauses.append(pause)
    return pauses


def test_a_fault_that_stays_fails_the_job_with_its_sentence(db, runner_of, new_job):
    job_id = new_job(exclusive="sync/goals")
    runner = runner_of(*[JobFault("The service is away. Start it.")] * MOST_TROUBLES)
    pauses = steps_until_the_end(runner, runner.claim())
    assert pauses == sorted(pauses)
    assert len(pauses) == MOST_TROUBLES - 1
    job = db.jobs.find_one({"_id": job_id})
    assert (job["status"], job["problem"]) == ("failed", "The service is away. Start it.")
    assert (job["lease"], job["phase"]) == (None, "working")
    assert (job["trail"][-1]["what"], job["trail"][-1]["note"]) == ("failed", job["problem"])
    assert job["endTime"]
    # It keeps nobody out any more.
    assert "exclusive" not in job
    assert runner.claim() is None


def test_an_unforeseen_fault_is_told_by_a_number_that_is_in_the_log(db, runner_of, new_job, caplog):
    new_job()
    runner = runner_of(*[KeyError("secret detail")] * MOST_TROUBLES)
    steps_until_the_end(runner, runner.claim())
    problem = db.jobs.find_one()["problem"]
    assert "secret detail" not in problem
    fault_id = problem.partition("(fault ")[2].partition(" ")[0]
    assert f"fault {fault_id}" in caplog.text


def test_a_passing_fault_fails_nothing(db, runner_of, new_job):
    new_job()
    runner = runner_of(JobFault("x"), True, *[JobFault("x")] * (MOST_TROUBLES - 1), True, False)
    steps_until_the_end(runner, runner.claim())
    assert db.jobs.find_one()["status"] == "running"


def test_the_database_may_be_away_for_as_long_as_it_likes(db, runner_of, new_job):
    new_job()
    runner = runner_of(*[AutoReconnect("away")] * 20, False)
    pauses = steps_until_the_end(runner, runner.claim())
    assert len(pauses) == 20
    assert max(pauses) <= 15
    assert db.jobs.find_one()["status"] == "running"


def test_a_job_that_kills_its_process_again_and_again_is_given_up(db, runner_of, new_job):
    new_job()
    for _ in range(MOST_DEATHS + 1):
        held = runner_of().claim()
        assert held
        db.jobs.update_one({}, {"$set": {"lease.until": now()}})
    runner = runner_of(True)
    assert runner.step(runner.claim()) is None
    job = db.jobs.find_one()
    assert job["status"] == "failed"
    assert "died" in job["problem"]


def test_a_chunk_that_is_written_forgives_deaths(db, runner_of, new_job):
    new_job()
    for _ in range(3):
        held = runner_of().claim()
        db.jobs.update_one({}, {"$set": {"lease.until": now()}})
    assert db.jobs.find_one()["deaths"] == 2
    # A renewal says nothing of the work that comes after it.
    leases.write(db, held.lease, {}, in_transaction=False)
    assert db.jobs.find_one()["deaths"] == 2
    leases.write(db, held.lease, {"counts.activated": 1}, in_transaction=False)
    assert db.jobs.find_one()["deaths"] == 0


def test_a_failed_job_goes_on_when_it_is_resumed(app, db, runner_of, new_job, admin, new_person):
    job_id = new_job(exclusive="sync/goals")
    runner = runner_of(*[JobFault("away")] * MOST_TROUBLES, True)
    steps_until_the_end(runner, runner.claim())
    job, _ = control.resume(db, admin, job_id)
    assert (job["status"], job["problem"], job["endTime"]) == ("running", None, None)
    assert job["exclusive"] == "sync/goals"
    assert runner.step(runner.claim()) == 0.0


def test_what_excludes_it_keeps_a_failed_job_from_being_resumed(app, db, runner_of, new_job, admin):
    job_id = new_job(exclusive="sync/goals")
    runner = runner_of(*[JobFault("away")] * MOST_TROUBLES)
    steps_until_the_end(runner, runner.claim())
    new_job("goals_2", exclusive="sync/goals")
    with pytest.raises(BadInput, match="under way"):
        control.resume(db, admin, job_id)
    assert db.jobs.find_one({"_id": job_id})["status"] == "failed"


def test_a_slow_job_does_not_keep_others_waiting(db, runner_of, new_job):
    """Each has a thread of its own."""
    new_job("slow")
    new_job("quick")
    both = threading.Barrier(2, timeout=10)
    runner = runner_of(lambda: both.wait() < 0, lambda: both.wait() < 0)
    bell, stopping = threading.Event(), threading.Event()

    def start(name, work):
        thread = threading.Thread(target=work, name=name)
        thread.start()
        return thread

    loop = threading.Thread(target=runner.loop, args=(bell, stopping, start))
    loop.start()
    # Neither could pass the barrier if one waited for the other.
    until(
        lambda: both.n_waiting == 0 and not runner._kinds["activation"].run(None, None, None).steps
    )
    stopping.set()
    bell.set()
    loop.join()
    assert not both.broken


def test_whoever_is_told_to_stop_gives_back_the_lease(db, runner_of, new_job):
    new_job()
    stopping = threading.Event()

    def step():
        stopping.set()
        return True

    runner = runner_of(step)
    runner._work(runner.claim(), stopping)
    job = db.jobs.find_one()
    assert (job["status"], job["lease"]) == ("running", None)


def test_only_so_many_failed_jobs_are_kept_and_what_they_hold_is_given_back(
    db, runner_of, new_job, monkeypatch
):
    monkeypatch.setattr(jobs, "KEPT_JOBS", 2)
    for number in range(3):
        new_job(f"goals_{number}")
        runner = runner_of(*[JobFault("away")] * MOST_TROUBLES)
        steps_until_the_end(runner, runner.claim())
    left = {job["_id"]: job["status"] for job in db.jobs.find()}
    assert left == {"goals_0": "running", "goals_1": "failed", "goals_2": "failed"}
    assert db.jobs.find_one({"_id": "goals_0"})["phase"] == "returning"


def test_a_pause_between_two_tries_does_not_lose_the_job(db, runner_of, new_job):
    new_job()
    runner = runner_of(JobFault("x"), *[JobFault("x")] * (MOST_TROUBLES - 2), False)
    held = runner.claim()
    db.jobs.update_one({}, {"$set": {"lease.until": now()}})
    pause = runner.step(held)
    until = db.jobs.find_one()["lease"]["until"]
    assert (until - now()).total_seconds() > pause
    assert runner_of().claim() is None


def test_what_is_paused_in_the_middle_of_a_chunk_is_no_trouble(
    app, db, runner_of, new_job, admin, caplog
):
    job_id = new_job()

    def interrupted():
        control.pause(db, admin, job_id)
        raise OperationFailure("operation was interrupted", 11601)

    runner = runner_of(interrupted)
    assert runner.step(runner.claim()) is None
    assert "waits" not in caplog.text
    assert db.jobs.find_one()["status"] == "paused"
