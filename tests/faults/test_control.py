"""Jobs are paused, resumed, cancelled and undone while their worker is killed: a press that was answered holds."""

import os
import random
import threading
import time
from urllib.parse import urlsplit

import pytest

from crmapp.accounts.users import Role
from crmapp.jobs import leases
from crmapp.local.mongodb import MongoDB
from tests.support.steered import Steered, snapshot
from tests.support.visitor import Caller
from tests.support.waiting import until
from tests.support.work import claim_all, new_runner, run_jobs

CHAOS = bool(os.environ.get("CHAOS"))
ROUNDS = 30 if CHAOS else 4
LEADS = 1000
FROZEN = 3000
CONTROLS = ("pause", "cancel", "undo", "resume")
AT_ONCE = 30 if CHAOS else 5


@pytest.fixture
def site(environ, db, new_site):
    environ |= {"UNDO_SECONDS": "600", "JOB_LEASE_SECONDS": "1"}
    return new_site()


@pytest.fixture
def api(site, admin):
    return Caller(site, admin)


@pytest.fixture
def press(api):
    """Returns the job as it is after the press; None where it came too late, because only mail was left."""

    def press(job_id, action):
        answer = api.post(f"/crm/jobs/{job_id}/{action}", {})
        if answer.status_code == 409 and "only mail" in answer.json["msg"]:
            return None
        assert answer.status_code == 200, answer.text
        return answer.json["data"]["job"]

    return press


@pytest.fixture
def begin(db, api, new_leads):
    """Starts an activation of leads of every sort."""

    def begin(name):
        new_leads(LEADS - 20, source=name, status="contacted")
        new_leads(10, source=name, status="qualified", email="nonsense")
        new_leads(10, source=name, email=f"{name}@example.com")
        before = snapshot(db, source=name)
        return Steered(db, api.activate(filter={"source": name}), before)

    return begin


def test_the_worker_is_killed_around_every_press(begin, press, new_worker):
    worker, in_the_middle = new_worker(), 0
    for number in range(ROUNDS):
        jobs = {}
        for name in CONTROLS:
            jobs[name] = begin(f"{name}-{number}")
            press(jobs[name].id, "pause")
        for name in CONTROLS[:3]:
            press(jobs[name].id, "resume")
        reached, watched = random.randrange(LEADS // 3), jobs[random.choice(("cancel", "undo"))]
        until(lambda reached=reached, watched=watched: watched.done > reached)
        order = random.sample(CONTROLS, len(CONTROLS))
        order.insert(random.randrange(len(order) + 1), "kill")
        after = {}
        for name in order:
            time.sleep(random.uniform(0, 0.005))
            if name == "kill":
                worker.kill()
            else:
                in_the_middle += name != "resume" and jobs[name].done < LEADS
                after[name] = press(jobs[name].id, name)
        worker = new_worker()
        for name in ("resume", "cancel", "undo"):
            until(lambda job=jobs[name]: job.has_ended, what=f"{name} has ended")
        check_resumed(jobs["resume"])
        check_cancelled(jobs["cancel"], after["cancel"])
        check_undone(jobs["undo"], after["undo"])
        if after["pause"]:
            check_paused(jobs["pause"], after["pause"])
            press(jobs["pause"].id, "resume")
        until(lambda jobs=jobs: jobs["pause"].has_ended)
        check_resumed(jobs["pause"])
    assert in_the_middle >= ROUNDS


@pytest.mark.parametrize("action", ["pause", "cancel", "undo"])
def test_two_admins_press_at_once(begin, api, new_api, new_person, action):
    """It is one press, and both are told so."""
    root = new_api(new_person("root@example.com", Role.SUPERADMIN))
    for number in range(AT_ONCE):
        job, together, answers = begin(f"{action}-{number}"), threading.Barrier(2), []

        def press(caller, job=job, together=together, answers=answers):
            together.wait()
            answers.append(caller.post(f"/crm/jobs/{job.id}/{action}", {}))

        at_once(lambda: press(api), lambda: press(root))
        assert [answer.status_code for answer in answers] == [200, 200]
        assert answers[0].json["data"]["job"]["status"] == answers[1].json["data"]["job"]["status"]
        assert len(job.presses) == 2


def at_once(*works):
    threads = [threading.Thread(target=work, daemon=True) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)


@pytest.mark.parametrize("action", ["pause", "cancel", "undo"])
def test_a_press_does_not_wait_for_what_a_dead_worker_left_open(site, begin, press, action):
    """Its transaction has written the job and would keep it locked for a minute."""
    job, pressed = begin(action), []
    with site.app_context():
        (held,) = claim_all(new_runner(site))
        held.lease.session.start_transaction()
        leases.write(site.extensions["database"], held.lease, {})
    pressing = threading.Thread(target=lambda: pressed.append(press(job.id, action)), daemon=True)
    pressing.start()
    try:
        until(lambda: pressed, 5, "the press is answered")
    finally:
        held.lease.session.end_session()
        pressing.join()
    run_jobs(site)
    job.assert_nothing_lost()


@pytest.mark.parametrize("action", ["pause", "cancel", "undo"])
def test_pressed_while_the_selection_is_being_frozen(
    site, db, api, new_api, admin, new_leads, action
):
    new_leads(FROZEN, status="contacted")
    before = snapshot(db)
    for number in range(AT_ONCE):
        job = Steered(db, f"activation_1700000000000_{number:04}", before)
        started, pressed = [], []

        def start(job=job, started=started):
            started.append(api.post("/crm/leads/activate", {"sessionId": job.id, "filter": {}}))

        def press(job=job, pressed=pressed):
            until(lambda: db.jobs.find_one({"_id": job.id}))
            time.sleep(random.uniform(0, 0.05))
            pressed.append(new_api(admin).post(f"/crm/jobs/{job.id}/{action}", {}))

        at_once(start, press)
        assert (started[0].status_code, pressed[0].status_code) == (202, 200)
        run_jobs(site)
        if action == "pause":
            assert job.status == "paused"
            api.post(f"/crm/jobs/{job.id}/cancel", {})
            run_jobs(site)
        assert job.status == "cancelled"
        job.assert_nothing_lost()
        assert snapshot(db) == before


class QuickMongoDB(MongoDB):
    """Looks for what has expired every second, not every minute."""

    def command(self):
        return [*super().command(), "--setParameter", "ttlMonitorSleepSecs=1"]


@pytest.fixture
def quick_mongodb(environ, tmp_path):
    mongodb = QuickMongoDB(tmp_path)
    mongodb.start()
    mongodb.wait()
    usual = urlsplit(environ["MONGODB_URI"])
    environ["MONGODB_URI"] = usual._replace(netloc=f"127.0.0.1:{mongodb.port}").geturl()
    yield
    mongodb.stop()
    mongodb.wait_stopped()


@pytest.mark.usefixtures("quick_mongodb")
def test_a_pause_longer_than_progress_is_kept(db, api, begin, press, new_leads, new_worker):
    job = begin("paused")
    (broken,) = new_leads(1, email="nonsense")
    other = api.activate(leadIds=[str(broken)])
    new_worker(PROGRESS_TTL_SECONDS="1")
    until(lambda: job.done > 0)
    assert press(job.id, "pause")

    def is_over_and_gone():
        over = db.jobs.find_one({"_id": other})["phase"] == "over"
        return over and not db.activation_progress.find_one({"sessionId": other})

    until(is_over_and_gone, what="the progress of a job that is over is removed")
    assert job.status == "paused"
    shown = api.get(f"/crm/activation/progress/{job.id}").json["data"]
    assert (shown["status"], shown["processed"]) == ("paused", job.done)
    press(job.id, "resume")
    until(lambda: job.has_ended)
    check_resumed(job)


def check_paused(job, pressed):
    """Nothing was done after the press, and what was done is whole."""
    assert job.status == "paused"
    assert job.counts == pressed["counts"]
    job.assert_nothing_lost()


def check_resumed(job):
    assert job.done == LEADS
    job.assert_nothing_lost()


def check_cancelled(job, pressed):
    if pressed:
        assert job.status == "cancelled"
        assert job.counts == pressed["counts"]
        assert job.presses.count("cancelled") == 1
    else:
        assert job.done == LEADS
    job.assert_nothing_lost()


def check_undone(job, pressed):
    assert job.status == "cancelled"
    already = (pressed["undo"] or {}).get("removed", 0)
    removed = pressed["counts"]["activated"] + already
    assert job.document["undo"] == {"removed": removed, "left": 0}
    assert (job.counts["activated"], job.counts["failed"]) == (0, 0)
    job.assert_nothing_lost()
