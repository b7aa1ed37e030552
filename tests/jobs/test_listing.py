"""What the lists of jobs show, by their filters."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest

from crmapp.accounts.users import Role
from crmapp.jobs.export import JOB_COLUMNS
from tests.jobs.desk import WORKER, kept, started

JOBS = "/crm/jobs"
START = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def root(new_api, new_person):
    """A program that a superadmin signed in."""
    return new_api(new_person("root@example.com", Role.SUPERADMIN))


def listed(api, query=""):
    """The ids of the jobs that a query lists, in order."""
    answer = api.get(f"{JOBS}?{query}")
    assert answer.status_code == 200, answer.text
    return [job["id"] for job in answer.json["data"]["items"]]


def test_newest_first_and_fifty_a_page(api, db, admin):
    ids = [kept(db, admin, at=START + timedelta(hours=n))["_id"] for n in range(55)]
    ids.reverse()
    assert listed(api) == ids[:50]
    assert listed(api, "page=2") == ids[50:]
    assert listed(api, "page=3") == []
    data = api.get(f"{JOBS}?page=2").json["data"]
    assert (data["total"], data["page"], data["pages"]) == (55, 2, 2)


def test_an_administrator_lists_their_own_and_a_superadmin_all(api, root, db, admin, new_person):
    bob = new_person("bob@example.com")
    of_bob = kept(db, bob, at=START)["_id"]
    of_ann = kept(db, admin, at=START + timedelta(hours=1))["_id"]
    assert listed(api) == [of_ann]
    assert listed(api, f"user={admin.id}") == [of_ann]
    assert listed(api, f"user={bob.id}") == []
    assert listed(root) == [of_ann, of_bob]
    assert listed(root, f"user={bob.id}") == [of_bob]


def test_by_type_and_status_and_both(api, db, admin):
    sync = kept(db, admin, at=START, type="goals")["_id"]
    failed = kept(db, admin, at=START + timedelta(hours=1), status="failed")["_id"]
    failed_sync = kept(db, admin, at=START + timedelta(hours=2), type="goals", status="failed")[
        "_id"
    ]
    assert listed(api, "type=goals") == [failed_sync, sync]
    assert listed(api, "status=failed") == [failed_sync, failed]
    assert listed(api, "type=goals&status=failed") == [failed_sync]
    assert listed(api, "type=leads") == []


def test_by_days(api, db, admin):
    first, second, third = (
        kept(db, admin, at=datetime(2026, 1, day, hour, tzinfo=UTC))["_id"]
        for day, hour in ((1, 23), (2, 0), (3, 0))
    )
    assert listed(api, "from=2026-01-02") == [third, second]
    assert listed(api, "to=2026-01-02") == [second, first]
    assert listed(api, "from=2026-01-02&to=2026-01-02") == [second]
    assert listed(api, "from=2026-01-03&to=2026-01-01") == []


NONSENSE = [
    ("type=nonsense", "type must be one of activation"),
    ("status=done", "status must be one of queued, running"),
    ("user=ann", "user must be the id of a user."),
    ("from=yesterday", "from must be a day, like 2026-01-31."),
    ("to=9999-12-31", "to must be a day, like 2026-01-31."),
    ("type=%00", "type holds a character"),
    ("colour=red", "There is no filter 'colour'. There are: type, status, user, from, to."),
]


@pytest.mark.parametrize("path", [JOBS, f"{JOBS}/history", f"{JOBS}/history.csv"])
def test_a_filter_that_makes_no_sense_is_refused(api, path):
    for query, msg in NONSENSE:
        answer = api.get(f"{path}?{query}")
        assert answer.status_code == 400
        assert answer.json["msg"].startswith(msg)


def test_a_page_that_cannot_be_is_refused(api):
    for page in ("0", "-1", "two", "1.5", "9" * 20):
        answer = api.get(f"{JOBS}?page={page}")
        assert answer.status_code == 400
        assert answer.json["msg"].startswith("page must be a whole number")


def test_a_job_tells_what_there_is_to_know(api, db, admin):
    job = kept(db, admin, activated=6, skipped=3, failed=1, seconds=4, at=START, takeovers=2)
    (shown,) = api.get(JOBS).json["data"]["items"]
    assert shown == {
        "id": job["_id"],
        "type": "activation",
        "label": "Activation",
        "userId": admin.id,
        "userName": admin.name,
        "status": "completed",
        "phase": "over",
        "counts": {"total": 10, "activated": 6, "skipped": 3, "failed": 1},
        "total": 10,
        "processed": 10,
        "ok": 6,
        "skipped": 3,
        "failed": 1,
        "remaining": 0,
        "percentage": 100,
        "problem": None,
        "createdAt": "2026-03-02T12:00:00.000Z",
        "startTime": "2026-03-02T12:00:00.000Z",
        "endTime": "2026-03-02T12:00:04.000Z",
        "duration": 4000,
        "rate": 2.5,
        "takeovers": 2,
        "retryOf": None,
        "retry": None,
        "actions": ["retry"],
        "undoUntil": None,
        "undo": None,
    }


def test_a_job_that_was_cancelled_tells_what_was_not_reached(api, db, admin):
    counts = {"total": 8, "activated": 1, "skipped": 1, "failed": 1}
    kept(db, admin, status="cancelled", counts=counts)
    (shown,) = api.get(JOBS).json["data"]["items"]
    assert (shown["processed"], shown["remaining"], shown["percentage"]) == (3, 5, 37)


def test_a_job_of_nothing_is_done_once_it_knows_that(api, db, admin):
    kept(db, admin, activated=0, phase="selecting", at=START)
    kept(db, admin, activated=0, at=START - timedelta(hours=1))
    assert [job["percentage"] for job in api.get(JOBS).json["data"]["items"]] == [0, 100]


def test_jobs_whose_type_nobody_knows_any_more_are_still_listed(api, db, admin):
    job = kept(db, admin, type="gone", failed=1)
    (shown,) = api.get(JOBS).json["data"]["items"]
    assert (shown["label"], shown["ok"], shown["failed"]) == ("gone", 10, 1)
    assert api.get(f"{JOBS}/{job['_id']}").status_code == 200
    assert api.get(f"{JOBS}/{job['_id']}/errors").status_code == 200


def entry(what, seconds):
    return {"what": what, "at": START + timedelta(seconds=seconds), "worker": WORKER}


TRAILS = [
    ([entry("taken_up", 0)], 20),
    ([entry("taken_up", 5)], 15),
    ([entry("taken_up", 0), entry("taken_over", 8)], 20),
    ([entry("taken_up", 0), entry("paused", 2), entry("resumed", 9), entry("taken_up", 10)], 12),
    ([entry("taken_up", 0), entry("failed", 4), entry("taken_up", 16)], 8),
    ([entry("taken_up", 0), entry("cancelled", 5), entry("taken_up", 6)], 5),
    ([entry("taken_up", 0), entry("completed", 50)], 20),
]


def test_only_the_time_with_a_worker_counts_for_the_rate(api, db, admin):
    for number, (entries, _) in enumerate(TRAILS):
        trail = [started("Ann", START), *entries]
        kept(db, admin, _id=f"{number}", activated=120, seconds=20, at=START, trail=trail)
    rates = {job["id"]: job["rate"] for job in api.get(JOBS).json["data"]["items"]}
    assert rates == {f"{number}": 120 / seconds for number, (_, seconds) in enumerate(TRAILS)}


def test_a_job_that_no_worker_has_had_has_no_rate(api, db, admin):
    kept(db, admin, trail=[started("Ann", START)])
    kept(db, admin, activated=0)
    assert [job["rate"] for job in api.get(JOBS).json["data"]["items"]] == [None, None]


def exported(api, query=""):
    answer = api.get(f"{JOBS}/history.csv?{query}")
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text)))


def test_what_is_listed_is_exported(api, db, admin, new_person):
    kept(db, new_person("bob@example.com"))
    kept(db, admin, status="failed", at=START)
    job = kept(db, admin, activated=7, failed=1, seconds=3, at=START, retryOf="activation_1_a")
    answer = api.get(f"{JOBS}/history.csv")
    assert answer.mimetype == "text/csv"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="jobs.csv"'
    (row,) = exported(api, "status=completed")
    assert row == {
        "Job": job["_id"],
        "Type": "Activation",
        "Status": "completed",
        "Started by": admin.name,
        "Created": "2026-03-02T12:00:00Z",
        "Started": "2026-03-02T12:00:00Z",
        "Ended": "2026-03-02T12:00:03Z",
        "Duration (s)": "3.0",
        "Items": "8",
        "Succeeded": "7",
        "Skipped": "0",
        "Failed": "1",
        "Not reached": "0",
        "Items a second": "2.7",
        "Problem": "",
        "Retry of": "activation_1_a",
        "Retried as": "",
    }


def test_every_page_is_exported_newest_first(api, db, admin):
    ids = [kept(db, admin, at=START + timedelta(hours=n))["_id"] for n in range(60)]
    assert [row["Job"] for row in exported(api)] == ids[::-1]
    assert api.get(f"{JOBS}/history.csv?to=2020-01-01").text == ",".join(JOB_COLUMNS) + "\r\n"


def test_no_cell_is_a_formula(api, db, admin):
    starts = ["=", "+", "-", "@", "\t", "\r"]
    for start in starts:
        kept(db, admin, at=START, userName=f"{start}HYPERLINK(1)", problem=f"{start}cmd")
    rows = exported(api)
    assert {row["Started by"] for row in rows} == {f"'{start}HYPERLINK(1)" for start in starts}
    assert {row["Problem"] for row in rows} == {f"'{start}cmd" for start in starts}
