"""Who may see and steer which job, what the controls answer, and which jobs are kept."""

import pytest
from bson import ObjectId

from crmapp.accounts.users import Role
from crmapp.clock import now
from crmapp.jobs import jobs
from tests.jobs.desk import WORKER, error, kept, started
from tests.support.work import refresh, run_jobs

JOBS = "/crm/jobs"
CONTROLS = ("pause", "resume", "cancel", "undo", "retry")


@pytest.fixture
def bob(new_api, new_person):
    """A program that another administrator signed in."""
    return new_api(new_person("bob@example.com"))


@pytest.fixture
def root(new_api, new_person):
    """A program that a superadmin signed in."""
    return new_api(new_person("root@example.com", Role.SUPERADMIN))


@pytest.fixture
def activate(api, new_leads):
    """Start an activation of leads, which nobody runs yet; returns its id."""

    def start(count=3, **lead):
        return api.activate(leadIds=[str(lead_id) for lead_id in new_leads(count, **lead)])

    return start


def read(api, job_id):
    answer = api.get(f"{JOBS}/{job_id}")
    assert answer.status_code == 200, answer.text
    return answer.json["data"]


def steer(api, job_id, control, prefix=JOBS):
    answer = api.post(f"{prefix}/{job_id}/{control}")
    return answer.status_code, answer.json.get("data") or answer.json["msg"]


def test_a_job_is_shown_to_its_owner_and_a_superadmin(api, bob, root, db, admin):
    job_id = kept(db, admin)["_id"]
    for path in ("", "/errors", "/errors.csv"):
        assert api.get(f"{JOBS}/{job_id}{path}").status_code == 200
        assert root.get(f"{JOBS}/{job_id}{path}").status_code == 200
        refused = bob.get(f"{JOBS}/{job_id}{path}")
        assert refused.status_code == 403
        assert refused.json["msg"] == "This job belongs to another administrator."
        unknown = api.get(f"{JOBS}/activation_1_nosuch{path}")
        assert unknown.status_code == 404
        assert unknown.json["msg"] == "There is no such job, or it is kept no longer."


@pytest.mark.parametrize("prefix", [JOBS, "/crm/activation"])
def test_a_job_is_steered_by_no_other_administrator(api, bob, activate, db, prefix):
    job_id = activate()
    before = db.jobs.find_one({"_id": job_id})
    for control in CONTROLS:
        refused = (403, "This job belongs to another administrator.")
        assert steer(bob, job_id, control, prefix) == refused
        unknown = (404, "There is no such job, or it is kept no longer.")
        assert steer(api, "activation_1_nosuch", control, prefix) == unknown
    assert db.jobs.find_one({"_id": job_id}) == before


def test_a_superadmin_steers_the_job_of_another(root, activate):
    job_id = activate()
    assert steer(root, job_id, "pause")[0] == 200
    (_, pressed) = read(root, job_id)["trail"][-2:]
    assert pressed["what"] == "paused"
    assert "root" in pressed["by"].lower()


def test_nobody_else_comes_near(new_api, new_person, site, db, admin):
    job_id = kept(db, admin)["_id"]
    outsider, stranger = new_api(new_person("eve@example.com", Role.USER)), site.test_client()
    for path in ("", "/active", "/history", "/history.csv", f"/{job_id}", f"/{job_id}/errors.csv"):
        assert outsider.get(JOBS + path).status_code == 403
        assert stranger.get(JOBS + path, headers={"Accept": "text/csv"}).status_code == 401
    for control in CONTROLS:
        assert outsider.post(f"{JOBS}/{job_id}/{control}").status_code == 403
        assert stranger.post(f"{JOBS}/{job_id}/{control}").status_code == 401


def test_a_browser_steers_only_with_its_token(ann, activate, db):
    job_id = activate()
    assert ann.client.post(f"{JOBS}/{job_id}/cancel").status_code == 400
    assert db.jobs.find_one({"_id": job_id})["phase"] == "working"
    token = {"X-CSRFToken": ann.csrf_token("/crm/leads")}
    assert ann.client.post(f"{JOBS}/{job_id}/cancel", headers=token).status_code == 200


def test_active_are_the_jobs_that_are_not_over_and_that_one_may_see(api, bob, root, activate):
    def active(caller):
        return [doc["sessionId"] for doc in caller.get(f"{JOBS}/active").json["data"]["items"]]

    going, paused, cancelled = activate(), activate(), activate()
    steer(api, paused, "pause")
    steer(api, cancelled, "cancel")
    run_jobs(api.client.application)
    assert active(api) == active(root) == [going, paused]
    assert active(bob) == []
    (document, _) = api.get(f"{JOBS}/active").json["data"]["items"]
    assert (document["type"], document["ok"], document["total"]) == ("activation", 3, 3)


def test_pause_and_resume(api, site, activate):
    job_id = activate()
    for _ in range(2):
        status, data = steer(api, job_id, "pause")
        assert (status, data["job"]["status"]) == (200, "paused")
        assert "Paused" in data["msg"] or "paused" in data["msg"]
        assert data["job"]["actions"] == ["resume", "cancel"]
    run_jobs(site)
    assert read(api, job_id)["processed"] == 0
    for _ in range(2):
        status, data = steer(api, job_id, "resume", "/crm/activation")
        assert (status, data["job"]["status"]) == (200, "running")
    run_jobs(site)
    assert read(api, job_id)["ok"] == 3
    told = [entry["what"] for entry in read(api, job_id)["trail"]]
    assert told == ["started", "paused", "resumed", "taken_up"]


def test_cancel_says_what_was_not_reached(api, site, activate):
    job_id = activate()
    for _ in range(2):
        status, data = steer(api, job_id, "cancel")
        assert (status, data["job"]["id"]) == (200, job_id)
    run_jobs(site)
    assert steer(api, job_id, "cancel")[0] == 200
    job = read(api, job_id)
    assert (job["status"], job["phase"]) == ("cancelled", "over")
    assert (job["processed"], job["remaining"], job["actions"]) == (0, 3, [])
    assert [entry["what"] for entry in job["trail"]].count("cancelled") == 1


def test_what_cannot_be_done_now_is_refused_with_a_sentence(api, db, admin):
    job_id = kept(db, admin)["_id"]
    before = db.jobs.find_one({"_id": job_id})
    for control in CONTROLS:
        status, msg = steer(api, job_id, control)
        assert status == 409
        assert " " in msg
        assert msg.endswith(".")
    assert db.jobs.find_one({"_id": job_id}) == before


def test_there_is_no_other_control(api, activate):
    assert api.post(f"{JOBS}/{activate()}/explode").status_code == 404


def test_retry_is_a_job_of_its_own_over_what_failed(api, site, new_leads):
    new_leads(2, email="nonsense")
    first = api.activate(filter={})
    run_jobs(site)
    assert read(api, first)["actions"] == ["retry"]
    answer = api.post(f"{JOBS}/{first}/retry")
    assert answer.status_code == 202
    data = answer.json["data"]
    second = data["jobId"]
    assert (data["sessionId"], data["total"], data["job"]["id"]) == (second, 2, second)
    assert data["job"]["retryOf"] == first
    again = api.post(f"{JOBS}/{first}/retry").json["data"]
    assert again["jobId"] == second
    (of_first,) = read(api, first)["siblings"]
    (of_second,) = read(api, second)["siblings"]
    assert (of_first["id"], of_first["relation"]) == (second, "retried as")
    assert (of_second["id"], of_second["relation"]) == (first, "retry of")
    assert of_second["label"] == "Activation"
    retried = read(api, first)["trail"][-1]
    assert (retried["what"], retried["note"]) == ("retried", second)


def test_siblings_are_shown_as_far_as_they_may_be_seen(api, root, db, admin, new_person):
    other = new_person("carl@example.com")
    first = kept(db, other)["_id"]
    second = kept(db, admin, retryOf=first)["_id"]
    kept(db, other, retryOf=second)
    assert read(api, second)["siblings"] == []
    relations = [sibling["relation"] for sibling in read(root, second)["siblings"]]
    assert relations == ["retry of", "retried as"]


def test_a_trail_in_words(api, db, admin):
    at = now()
    by = {"id": ObjectId(), "name": "Bob"}
    what = [
        {"what": "taken_up", "worker": WORKER},
        {"what": "paused", "by": by},
        {"what": "resumed", "by": by},
        {"what": "taken_up", "worker": "host:2"},
        {"what": "taken_over", "worker": "host:3", "note": "host:2"},
        {"what": "failed", "note": "The disk is full."},
        {"what": "cancelled", "by": by},
        {"what": "undone", "by": by},
        {"what": "retried", "by": by, "note": "activation_1_a"},
        {"what": "completed"},
    ]
    trail = [started("Ann", at), *({**entry, "at": at} for entry in what)]
    shown = read(api, kept(db, admin, trail=trail)["_id"])["trail"]
    assert [entry["text"] for entry in shown] == [
        "Ann started it",
        "Worker host:1 took it up",
        "Bob paused it",
        "Bob resumed it",
        "Worker host:2 went on with it",
        "Its worker had died; worker host:3 went on with it",
        "It failed",
        "Bob cancelled it",
        "Bob undid it",
        "Bob had its failed items tried again",
        "It completed",
    ]
    assert shown[6]["note"] == "The disk is full."
    assert shown[2]["by"] == "Bob"


def test_every_event_of_a_job_has_words(api, db, admin):
    trail = [{"what": event.value, "at": now()} for event in jobs.JobEvent]
    shown = read(api, kept(db, admin, trail=trail)["_id"])["trail"]
    assert all(entry["text"] for entry in shown)


def test_the_errors_of_a_job_are_in_groups(api, site, new_leads):
    new_leads(2, email="nonsense")
    new_leads(1)
    job_id = api.activate()
    run_jobs(site)
    (group,) = read(api, job_id)["errorGroups"]
    assert group == {
        "state": "failed",
        "reason": "invalid_email",
        "label": "No usable e-mail address",
        "count": 2,
    }


def test_the_fifty_first_job_goes_with_its_errors(api, site, db, admin, new_person, new_leads):
    others = kept(db, new_person("bob@example.com"))["_id"]
    held = kept(db, admin, status="failed", phase="working")["_id"]
    ended = [kept(db, admin, seconds=100 - n) for n in range(50)]
    for job in ended:
        error(db, job)
    new_leads(1, email="nonsense")
    newest = api.activate()
    run_jobs(site)
    refresh(site, newest)
    oldest = ended[0]["_id"]
    assert api.get(f"{JOBS}/{oldest}").status_code == 404
    assert db.job_errors.count_documents({"jobId": oldest}) == 0
    assert db.job_errors.count_documents({"jobId": ended[1]["_id"]}) == 1
    there = {job["_id"] for job in db.jobs.find({}, {"_id": 1})}
    assert there == {others, held, newest, *(job["_id"] for job in ended[1:])}
