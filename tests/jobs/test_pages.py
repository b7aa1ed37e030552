"""The pages of jobs, as a browser without scripts gets them."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from crmapp.accounts.users import Role
from crmapp.clock import now
from tests.conftest import PASSWORD
from tests.jobs.desk import error, kept, started

JOBS = "/crm/jobs"


@pytest.fixture
def open_page(ann):
    """The HTML of a page, all of whose styles and scripts are there."""

    def read(path="", visitor=ann):
        answer = visitor.get(JOBS + path)
        assert answer.status_code == 200, answer.text
        for address in re.findall(r'(?:src|href)="(/static/[^"]+)"', answer.text):
            assert visitor.get(address).status_code == 200, address
        assert " style=" not in answer.text
        return answer.text

    return read


@pytest.fixture
def superadmin(new_visitor, new_person):
    visitor = new_visitor()
    visitor.sign_in(new_person("root@example.com", Role.SUPERADMIN).email, PASSWORD)
    return visitor


def test_jobs_shows_what_is_active_and_the_last_ten(open_page, api, db, admin, new_leads):
    old = [kept(db, admin, at=now() - timedelta(hours=n))["_id"] for n in range(1, 12)]
    new_leads(2)
    active = api.activate()
    going, _, recent = open_page().partition("Recent jobs")
    assert f'data-session-id="{active}"' in going
    assert not any(job_id in going for job_id in old)
    assert all(job_id in recent for job_id in [active, *old[:9]])
    assert not any(job_id in recent for job_id in old[9:])


def test_the_history_is_listed_filtered_and_drawn(open_page, db, admin):
    done, failed = kept(db, admin)["_id"], kept(db, admin, status="failed")["_id"]
    html = open_page("/history")
    assert done in html
    assert failed in html
    assert html.count('role="img"') == 4
    assert "2 jobs" in html
    html = open_page("/history?status=failed&from=2020-01-01")
    assert failed in html
    assert done not in html
    assert "1 job<" in html
    assert 'value="2020-01-01"' in html
    assert "/history.csv?" in html
    assert "No job matches" in open_page("/history?to=2020-01-01")


def test_the_history_has_pages(open_page, db, admin):
    start = datetime(2026, 3, 2, tzinfo=UTC)
    ids = [kept(db, admin, at=start + timedelta(hours=n))["_id"] for n in range(51)]
    first, second = open_page("/history"), open_page("/history?page=2")
    assert ids[0] not in first
    assert "page=2" in first
    assert ids[0] in second
    assert ids[1] not in second
    assert "There is no page 3" in open_page("/history?page=3")


def test_only_a_superadmin_chooses_whose_jobs(open_page, superadmin, db, admin, new_person):
    bob = new_person("bob@example.com")
    kept(db, bob)
    kept(db, admin)
    assert bob.id not in open_page("/history")
    html = open_page(f"/history?user={bob.id}", superadmin)
    assert re.search(f'<option value="{bob.id}"\\s+selected>{bob.name}', html)
    assert f'<option value="{admin.id}"' in html


def test_a_job_shows_its_trail_errors_mails_and_siblings(open_page, db, admin):
    problem = "The disk is full."
    trail = [started("Ann", now()), {"what": "failed", "at": now(), "note": problem}]
    first = kept(db, admin)["_id"]
    more = {"emailsSent": 9, "emailsFailed": 1, "takeovers": 3}
    job = kept(db, admin, failed=51, retryOf=first, trail=trail, problem=problem, **more)
    for number in range(51):
        error(db, job, f"<b>{number}</b>")
    html = open_page(f"/{job['_id']}")
    assert "Ann started it" in html
    assert problem in html
    assert f"/crm/jobs/{first}" in html
    assert "9 sent" in html
    assert "1 failed" in html
    assert "51 failed" in html
    assert "No usable e-mail address" in html
    assert "&lt;b&gt;49&lt;/b&gt;" in html
    assert "&lt;b&gt;50&lt;/b&gt;" not in html
    assert "Show more (1)" in html


def test_a_job_that_is_another_administrators_has_no_page(ann, db, new_person):
    job_id = kept(db, new_person("bob@example.com"))["_id"]
    answer = ann.get(f"{JOBS}/{job_id}")
    assert answer.status_code == 403
    assert "This job belongs to another administrator." in answer.text
