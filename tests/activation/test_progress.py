"""Progress by poll and by stream: whose, how fresh, and for how long."""

import json
from datetime import timedelta

import pytest

from crmapp.accounts.users import Role
from crmapp.clock import now
from crmapp.mailqueue import queue
from tests.support.visitor import Caller
from tests.support.work import refresh, run_jobs

NO_SESSION = "activation_1700000000000_nosuch"


def settle_all(db, *, failing=()):
    """Do to every queued mail what a sender does."""
    for mail in queue.claim(db, 1000, lease_seconds=60):
        if mail["email"] in failing:
            queue.settle_failed(db, mail, "mailbox_unknown", "550 No such user")
        else:
            queue.note_sent(db, [(mail, "250 OK")])
            queue.remove_sent(db, [mail])


@pytest.fixture
def finished(site, db, api, new_leads):
    new_leads(3)
    session_id = api.activate()
    run_jobs(site)
    settle_all(db)
    refresh(site, session_id)
    return session_id


def poll(api, session_id, **headers):
    return api.get(f"/crm/activation/progress/{session_id}", **headers)


def listen(api, session_id, **headers):
    answer = api.get(f"/crm/activation/stream/{session_id}", Accept="text/event-stream", **headers)
    return answer.status_code, read(answer.get_data(as_text=True))


def read(stream):
    """The events of a stream that has ended, as (type, id, data)."""
    for block in stream.split("\n\n"):
        fields = dict(line.split(":", 1) for line in block.splitlines() if ":" in line)
        if "data" in fields:
            yield fields["event"], int(fields["id"]), json.loads(fields["data"])


def test_the_numbers_from_the_start_to_the_last_mail(site, db, api, new_leads, new_person):
    new_person("taken@example.com")
    new_leads(6)
    new_leads(1, email="taken@example.com")
    new_leads(1, email="nonsense")
    session_id = api.activate()

    def numbers():
        data = poll(api, session_id).json["data"]
        assert data["total"] == 8
        assert (
            data["activated"] == data["emailsSent"] + data["emailsFailed"] + data["emailsPending"]
        )
        names = ("activated", "skipped", "failed", "emailsSent", "emailsFailed", "emailsPending")
        return [data[name] for name in names], data["percentage"], data["msg"], data["completed"]

    assert numbers() == ([0] * 6, 0, "Creating users… 0 / 8 (0 %)", False)
    run_jobs(site)
    assert numbers() == (
        [6, 1, 1, 0, 0, 6],
        100,
        "6 users created. 6 e-mails are being sent in the background.",
        False,
    )
    settle_all(db, failing=["lead1@example.com"])
    refresh(site, session_id)
    assert numbers() == (
        [6, 1, 1, 5, 1, 0],
        100,
        "6 users created, 5 e-mails sent, 1 failed.",
        True,
    )
    job = db.jobs.find_one({"_id": session_id})
    assert job["status"] == "completed"
    assert job["duration"] == (job["endTime"] - job["startTime"]) / timedelta(milliseconds=1)


def test_a_running_session_never_expires_and_a_finished_one_does(new_site, db, admin, new_leads):

    site = new_site(PROGRESS_TTL_SECONDS="77")
    new_leads(2)
    session_id = Caller(site, admin).activate()

    def expire_at():
        return db.activation_progress.find_one({"sessionId": session_id}).get("expireAt")

    assert expire_at() is None
    run_jobs(site)
    assert expire_at() is None
    settle_all(db)
    refresh(site, session_id)
    assert timedelta(seconds=67) < expire_at() - now() <= timedelta(seconds=77)
    first = expire_at()
    refresh(site, session_id)
    assert expire_at() == first
    assert "expireAt" not in poll(Caller(site, admin), session_id).json["data"]


def test_a_poll_that_knows_the_newest_state_gets_no_body(site, db, api, new_leads):
    new_leads(2)
    session_id = api.activate()
    first = poll(api, session_id)
    same = poll(api, session_id, **{"If-None-Match": first.headers["ETag"]})
    assert (same.status_code, same.data) == (304, b"")
    assert same.headers["ETag"] == first.headers["ETag"]
    assert same.headers["Cache-Control"] == "private, no-cache"
    run_jobs(site)
    newer = poll(api, session_id, **{"If-None-Match": first.headers["ETag"]})
    assert newer.status_code == 200
    assert newer.headers["ETag"] != first.headers["ETag"]
    assert newer.json["data"]["rev"] > first.json["data"]["rev"]


def test_a_session_that_is_unknown_or_has_expired(api):
    for path in ("progress", "stream"):
        answer = api.get(f"/crm/activation/{path}/{NO_SESSION}")
        assert answer.status_code == 404
        assert answer.json == {"success": False, "msg": "No active activation session found"}


def test_the_list_of_running_sessions_is_ones_own(site, db, api, new_api, new_person, new_leads):
    bob = new_api(new_person("bob@example.com"))
    sue = new_api(new_person("sue@example.com", Role.SUPERADMIN))
    new_leads(3)
    anns = api.activate(filter={"q": "lead0@"})
    bobs = bob.activate(filter={"q": "lead1@"})

    def active(program):
        items = program.get("/crm/activation/active").json["data"]["items"]
        return [item["sessionId"] for item in items]

    assert (active(api), active(bob), active(sue)) == ([anns], [bobs], [anns, bobs])
    run_jobs(site)
    assert active(sue) == [anns, bobs]
    settle_all(db)
    for session_id in (anns, bobs):
        refresh(site, session_id)
    assert active(sue) == []


def test_somebody_elses_session_is_refused(api, new_api, new_person, finished):
    bob = new_api(new_person("bob@example.com"))
    for path in ("progress", "stream"):
        answer = bob.get(f"/crm/activation/{path}/{finished}")
        assert answer.status_code == 403
        assert answer.json["msg"] == "This job belongs to another administrator."
    sue = new_api(new_person("sue@example.com", Role.SUPERADMIN))
    assert poll(sue, finished).status_code == 200


def test_a_reader_that_comes_late_gets_the_last_state_and_the_end(api, finished):
    state = poll(api, finished).json["data"]
    status, events = listen(api, finished)
    assert status == 200
    assert list(events) == [
        ("progress", state["rev"], state),
        ("complete", state["rev"], state),
    ]


def test_a_reader_that_has_the_last_state_is_told_not_to_come_again(api, finished):
    rev = poll(api, finished).json["data"]["rev"]
    assert listen(api, finished, **{"Last-Event-ID": str(rev)})[0] == 204
    status, events = listen(api, finished, **{"Last-Event-ID": str(rev - 1)})
    assert (status, len(list(events))) == (200, 2)
