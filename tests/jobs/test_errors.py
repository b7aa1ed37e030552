"""The items of a job that were skipped or failed: in groups, in pages, as a file."""

import csv
import io

import pytest

from crmapp.jobs.jobs import ItemState
from tests.jobs.desk import error, kept

SKIPPED, FAILED = ItemState.SKIPPED, ItemState.FAILED


@pytest.fixture
def job(db, admin):
    return kept(db, admin, _id="activation_1700000000000_abcd")


@pytest.fixture
def ask(api, job):
    """The answer to a query for the errors of the job."""

    def ask(query=""):
        answer = api.get(f"/crm/jobs/{job['_id']}/errors?{query}")
        assert answer.status_code == 200, answer.text
        return answer.json["data"]

    return ask


@pytest.fixture
def mixed(db, job):
    """One that is invalid, three that are users, two that are gone; and one of another job."""
    error(db, job, "nonsense")
    for number in range(3):
        error(db, job, f"user{number}@example.com", SKIPPED, "already_a_user")
    for _ in range(2):
        error(db, job, "", SKIPPED, "not_found")
    error(db, {"_id": f"{job['_id']}:1"}, "another@example.com")
    error(db, {"_id": f"{job['_id']}0"}, "another@example.com")


def test_in_groups_whatever_is_asked_for(ask, mixed):
    groups = [
        {
            "state": "failed",
            "reason": "invalid_email",
            "label": "No usable e-mail address",
            "count": 1,
        },
        {"state": "skipped", "reason": "already_a_user", "label": "Already a user", "count": 3},
        {"state": "skipped", "reason": "not_found", "label": "Deleted", "count": 2},
    ]
    assert ask()["groups"] == groups
    assert ask("reason=not_found&state=skipped")["groups"] == groups


def test_by_state_and_reason_and_both(ask, mixed):
    def titles(query=""):
        data = ask(query)
        assert data["total"] == len(data["items"])
        return [row["title"] for row in data["items"]]

    users = ["user0@example.com", "user1@example.com", "user2@example.com"]
    assert titles() == ["nonsense", *users, "", ""]
    assert titles("state=failed") == ["nonsense"]
    assert titles("state=skipped") == [*users, "", ""]
    assert titles("reason=already_a_user") == users
    assert titles("state=failed&reason=already_a_user") == []
    assert titles("reason=never_heard_of") == []


def test_a_row_tells_what_there_is_to_know(db, job, ask):
    of_lead = error(db, job, "nonsense")
    of_entry = error(db, job, reason="refused_by_ml_service", words="422 too long", title="A call")
    del of_entry["leadId"], of_entry["email"]
    db.job_errors.replace_one({"_id": of_entry["_id"]}, {**of_entry, "itemId": "17"})
    lead, entry = ask()["items"]
    assert (lead["itemId"], lead["title"], lead["words"]) == (
        str(of_lead["leadId"]),
        "nonsense",
        None,
    )
    assert (lead["state"], lead["reason"]) == ("failed", "invalid_email")
    assert lead["label"] == "No usable e-mail address"
    assert lead["at"].endswith("Z")
    assert (entry["itemId"], entry["title"], entry["words"]) == ("17", "A call", "422 too long")
    assert entry["label"] == "refused_by_ml_service"


def test_fifty_a_page(db, job, ask):
    for number in range(55):
        error(db, job, f"lead{number}")
    first, second = ask(), ask("page=2")
    assert [row["title"] for row in first["items"]] == [f"lead{number}" for number in range(50)]
    assert [row["title"] for row in second["items"]] == [
        f"lead{number}" for number in range(50, 55)
    ]
    assert (second["total"], second["page"], second["pages"]) == (55, 2, 2)
    assert ask("page=3")["items"] == []


def test_a_filter_that_makes_no_sense_is_refused(api, job):
    for query, msg in (
        ("state=activated", "state must be one of skipped, failed"),
        ("reason=%00", "reason holds a character"),
        ("q=x", "There is no filter 'q'. There are: state, reason."),
    ):
        for path in ("errors", "errors.csv"):
            answer = api.get(f"/crm/jobs/{job['_id']}/{path}?{query}")
            assert answer.status_code == 400
            assert answer.json["msg"].startswith(msg)


@pytest.fixture
def exported(api, job):
    """The rows of the file that a query asks for."""

    def read(query=""):
        answer = api.get(f"/crm/jobs/{job['_id']}/errors.csv?{query}")
        assert (answer.status_code, answer.mimetype) == (200, "text/csv")
        name = f'attachment; filename="{job["_id"]}-errors.csv"'
        assert answer.headers["Content-Disposition"] == name
        return list(csv.DictReader(io.StringIO(answer.text)))

    return read


def test_what_is_listed_is_exported(db, job, mixed, exported):
    of_entry = error(db, job, "b@example.com", words='it said "no",\nand left')
    rows = exported("state=failed")
    assert [row["Item"] for row in rows] == ["nonsense", "b@example.com"]
    assert rows[1] == {
        "Item": "b@example.com",
        "State": "failed",
        "Reason": "No usable e-mail address",
        "What was wrong": 'it said "no",\nand left',
        "When": of_entry["at"].strftime("%Y-%m-%dT%H:%M:%SZ"),
        "Id": str(of_entry["leadId"]),
    }
    assert len(exported()) == 7
    assert exported("reason=never_heard_of") == []


def test_every_page_is_exported(db, job, exported):
    for number in range(120):
        error(db, job, f"lead{number}")
    assert [row["Item"] for row in exported()] == [f"lead{number}" for number in range(120)]


def test_no_cell_is_a_formula(db, job, exported):
    starts = ["=", "+", "-", "@", "\t", "\r"]
    for start in starts:
        error(db, job, f"{start}cmd@example.com", words=f"{start}HYPERLINK(1)")
    rows = exported()
    assert [row["Item"] for row in rows] == [f"'{start}cmd@example.com" for start in starts]
    assert [row["What was wrong"] for row in rows] == [f"'{start}HYPERLINK(1)" for start in starts]
