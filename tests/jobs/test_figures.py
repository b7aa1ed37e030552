"""The figures over time, worked out by hand, and the charts that show them."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from flask import render_template_string

from crmapp.accounts.users import Role
from crmapp.clock import now
from crmapp.jobs import charts, figures
from tests.jobs.desk import kept

HISTORY = "/crm/jobs/history"
TO = datetime(2026, 3, 30, tzinfo=UTC)


def told(api, query="to=2026-03-30"):
    answer = api.get(f"{HISTORY}?{query}")
    assert answer.status_code == 200, answer.text
    return answer.json["data"]["figures"]


def of_day(data, day):
    (found,) = [each for each in data["days"] if each["day"] == day]
    return {name: value for name, value in found.items() if name != "day"}


NONE = {"jobs": 0, "medianDuration": None, "rate": None, "failedShare": None}


@pytest.fixture
def some_jobs(db, admin):
    """Three on the 29th of March, one on the 30th."""
    noon = TO.replace(hour=12) - timedelta(days=1)
    kept(db, admin, activated=90, failed=10, seconds=10, at=noon)
    kept(db, admin, activated=50, skipped=50, seconds=40, at=noon, type="goals")
    kept(db, admin, activated=0, at=noon, status="running", duration=None, endTime=None)
    kept(db, admin, activated=30, failed=10, seconds=80, at=TO)


def test_by_day_and_over_all(api, some_jobs):
    data = told(api)
    # Durations of 10 s and 40 s; 200 items in 50 s; 10 of 200 failed.
    assert of_day(data, "2026-03-29") == {
        "jobs": 3,
        "medianDuration": 25_000,
        "rate": 4.0,
        "failedShare": 0.05,
    }
    # 40 items in 80 s; 10 of 40 failed.
    assert of_day(data, "2026-03-30") == {
        "jobs": 1,
        "medianDuration": 80_000,
        "rate": 0.5,
        "failedShare": 0.25,
    }
    assert of_day(data, "2026-03-28") == NONE
    # 10, 40 and 80 s; 240 items in 130 s; 20 of 240 failed.
    assert (data["jobs"], data["medianDuration"]) == (4, 40_000)
    assert data["rate"] == pytest.approx(240 / 130)
    assert data["failedShare"] == pytest.approx(20 / 240)


def test_thirty_days_that_end_with_the_filters_last_one(api, db, admin):
    first = datetime(2026, 3, 1, tzinfo=UTC)
    kept(db, admin, at=first)
    kept(db, admin, at=first - timedelta(seconds=1))
    kept(db, admin, at=TO + timedelta(days=1))
    data = told(api)
    assert [day["day"] for day in data["days"]][::29] == ["2026-03-01", "2026-03-30"]
    assert len(data["days"]) == 30
    assert (data["jobs"], of_day(data, "2026-03-01")["jobs"]) == (1, 1)


def test_without_a_last_day_in_the_past_it_is_today(api, db, admin):
    kept(db, admin)
    for query in ("", "to=2999-01-01"):
        before = now().date().isoformat()
        days = told(api, query)["days"]
        assert before <= days[-1]["day"] <= now().date().isoformat()
        assert sum(day["jobs"] for day in days[-2:]) == 1


def test_the_first_days_that_there_are(api):
    assert told(api, "to=0001-01-02")["jobs"] == 0


def test_under_the_filter_of_the_list(api, some_jobs):
    assert told(api, "to=2026-03-30&type=activation")["jobs"] == 3
    assert told(api, "to=2026-03-30&status=running")["medianDuration"] is None
    assert told(api, "to=2026-03-30&from=2026-03-30")["jobs"] == 1
    assert told(api, "to=2026-03-29")["jobs"] == 3


def test_of_the_jobs_that_one_may_see(api, new_api, db, some_jobs, new_person):
    bob = new_person("bob@example.com")
    root = new_api(new_person("root@example.com", Role.SUPERADMIN))
    kept(db, bob, at=TO)
    assert told(api)["jobs"] == 4
    assert told(new_api(bob))["jobs"] == 1
    assert told(root)["jobs"] == 5
    assert told(root, f"to=2026-03-30&user={bob.id}")["jobs"] == 1


@pytest.fixture
def drawn(site, db, admin):
    """The charts of the jobs that there are, by their keys."""

    def draw():
        with site.app_context():
            span = figures.over_time(db, admin, {"to": "2026-03-30"})
        return {chart.key: chart for chart in charts.draw(span)}

    return draw


def test_no_job_is_no_chart(drawn):
    assert drawn() == {}


def test_bars_are_as_high_as_their_values(drawn, some_jobs):
    chart = drawn()["jobs"]
    three, one = chart.bars
    assert (three.height, one.height) == (chart.height, chart.height / 3)
    assert three.y + three.height == one.y + one.height == chart.height
    # The 29th and the 30th day of 30.
    assert (three.room_x, one.room_x) == (280, 290)
    assert three.room_x < three.x < three.x + three.width < one.room_x
    assert one.x + one.width < chart.width


def test_what_the_charts_say(drawn, some_jobs):
    by_key = drawn()
    assert [chart.title for chart in by_key.values()] == [
        "Jobs a day",
        "Median duration",
        "Items a second",
        "Items that failed",
    ]
    values = {key: chart.value for key, chart in by_key.items()}
    assert values == {"jobs": "4 jobs", "duration": "40 s", "rate": "1.8", "failed": "8.3 %"}
    assert by_key["duration"].summary == (
        "Median duration, 1 Mar 2026 to 30 Mar 2026: 40 s, at most 1 min 20 s on a day."
    )
    assert (by_key["jobs"].first, by_key["jobs"].last) == ("1 Mar", "30 Mar")
    assert [(bar.day, bar.text) for bar in by_key["failed"].bars] == [
        ("29 Mar 2026", "5 %"),
        ("30 Mar 2026", "25 %"),
    ]


def test_a_little_is_seen_and_nothing_is_not(drawn, db, admin):
    yesterday = TO - timedelta(days=1)
    kept(db, admin, activated=10_000, seconds=1, at=yesterday)
    kept(db, admin, activated=1, failed=0, seconds=1, at=TO)
    fast, slow = drawn()["rate"].bars
    assert 1 <= slow.height < 2 < fast.height
    assert [bar.height for bar in drawn()["failed"].bars] == [0, 0]


def test_what_no_job_can_tell_is_not_known_yet(drawn, db, admin):
    kept(db, admin, activated=0, at=TO, duration=None, endTime=None)
    chart = drawn()["duration"]
    assert (chart.value, chart.most, chart.bars) == ("not known yet", "", [])
    assert chart.summary == "Median duration, 1 Mar 2026 to 30 Mar 2026: not known yet."


def test_a_chart_is_drawn_on_the_server_without_styles_of_its_own(site, drawn, some_jobs):
    with site.test_request_context():
        html = render_template_string(
            '{% from "_chart.html" import charts %}{{ charts(figures) }}',
            figures=list(drawn().values()),
        )
    assert html.count("<svg") == html.count('role="img"') == html.count("<table") == 4
    assert "style" not in html
    assert (
        'aria-label="Jobs a day, 1 Mar 2026 to 30 Mar 2026: 4 jobs, at most 3 jobs on a day."'
        in html
    )
    assert "<title>29 Mar 2026: 3 jobs</title>" in html
    assert re.search(r"<td>29 Mar 2026</td>\s*<td>3 jobs</td>", html)


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [
        (0, "0.0 s"),
        (850, "0.8 s"),
        (9949, "9.9 s"),
        (9950, "10 s"),
        (59_600, "1 min 0 s"),
        (125_400, "2 min 5 s"),
        (3_599_600, "1 h 0 min"),
        (3_725_000, "1 h 2 min"),
    ],
)
def test_durations_in_words(milliseconds, words):
    assert charts.duration_in_words(milliseconds) == words


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0, "0 %"),
        (0.0001, "under 0.1 %"),
        (0.05, "5 %"),
        (0.1234, "12.3 %"),
        (0.9999, "over 99.9 %"),
        (1, "100 %"),
    ],
)
def test_shares_in_words(share, words):
    assert charts.share_in_words(share) == words
