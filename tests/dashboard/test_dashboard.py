"""The dashboard: its numbers are those of the database, and it says so where one of them cannot be had."""

import re
from datetime import UTC, datetime, timedelta

import pymongo
import pytest

from crmapp import bounded
from crmapp.clock import now
from crmapp.dashboard import figures, memory, next_steps
from tests.support.visitor import PAGE


def counted(site, per_day, db):
    with site.app_context():
        return {day.isoformat(): count for day, count in per_day(db, {}).items() if count}


def days_ago(days):
    return now() - timedelta(days=days)


def day(days):
    return days_ago(days).date().isoformat()


@pytest.fixture
def some_leads(new_leads):
    new_leads(3)
    new_leads(2, status="qualified")
    new_leads(1, status="failed")
    new_leads(2, status="active", activatedAt=days_ago(2))
    new_leads(1, status="active", activatedAt=days_ago(40))
    # What other programs write.
    new_leads(1, status=None)
    new_leads(1, status=["odd"])
    new_leads(1, status="lost")
    # It was taken back.
    new_leads(1, status="contacted", activatedAt=days_ago(1))


@pytest.fixture
def new_events(db):
    def new(type, at, count=1, **more):
        db.events.insert_many([{"type": type, "at": at, **more} for _ in range(count)])

    return new


def test_the_numbers_are_those_of_the_database(some_leads, new_events, api, db):
    new_events("sent", days_ago(0), 3)
    new_events("sent", days_ago(3), 2)
    new_events("sent", days_ago(3), 1, repeat=True)
    new_events("sent", days_ago(60), 5)
    new_events("failed", days_ago(3), 1)
    new_events("deferred", days_ago(3), 7)
    db.failed_emails.insert_many(
        [{"reason": reason, "dropped": dropped} for reason, dropped in FAILED_MAIL]
    )
    told = api.get("/crm").json["data"]
    assert told["leads"] == {
        "new": 3,
        "contacted": 1,
        "qualified": 2,
        "activating": 0,
        "active": 3,
        "failed": 1,
        "": 2,
        "lost": 1,
    }
    some = {name: {d: n for d, n in days.items() if n} for name, days in told["perDay"].items()}
    assert some == {
        "activated": {day(2): 2},
        "sent": {day(0): 3, day(3): 2},
        "failed": {day(3): 1},
    }
    assert all(len(days) == 30 and day(29) in days for days in told["perDay"].values())
    assert [(each["reason"], each["count"]) for each in told["failedMail"]] == [
        ("mailbox_unknown", 2),
        ("timeout", 1),
    ]
    assert told["queue"]["failed"] == 3
    assert told["health"]["state"] == "no_worker"


FAILED_MAIL = [
    *(("mailbox_unknown", False), ("mailbox_unknown", False)),
    *(("timeout", False), ("timeout", True)),
]


def test_days_are_those_of_utc(site, db, new_leads, new_events):
    today = now().date()
    midnight = datetime(today.year, today.month, today.day, tzinfo=UTC)
    before = midnight - timedelta(milliseconds=1)
    for time in (before, midnight):
        new_leads(1, status="active", activatedAt=time)
        new_events("failed", time)
    expected = {before.date().isoformat(): 1, midnight.date().isoformat(): 1}
    assert counted(site, figures.activated, db) == expected
    assert counted(site, figures.failed, db) == expected


def test_the_page_shows_them_with_links_into_the_lists(some_leads, new_events, ann, db):
    new_events("sent", days_ago(1), 1234)
    db.failed_emails.insert_many(
        [{"reason": reason, "dropped": dropped} for reason, dropped in FAILED_MAIL]
    )
    page = ann.get("/crm").get_data(as_text=True)
    assert re.search(r"<strong>13</strong>\s+in all", page)
    assert re.search(r'href="/crm/leads\?status=qualified">.*?status-count">2<', page, re.DOTALL)
    assert "E-mails sent, " in page
    assert re.search(r'chart-value">1,234<', page)
    assert f'href="/crm/leads?activatedFrom={day(29)}"' in page
    assert "/crm/email-queue?state=failed&amp;reason=mailbox_unknown" in page
    assert "3 e-mails could not be delivered: correct or drop them" in page
    assert "Activate 2 qualified leads" in page
    for name in ("next", "statuses", "chart-sent", "mail"):
        assert re.search(rf'id="{name}"[^>]*data-newest', page), name


def test_with_no_leads_it_says_how_to_begin(ann):
    page = ann.get("/crm").get_data(as_text=True)
    assert "there are no leads yet" in page
    assert 'href="/crm/leads/import"' in page
    assert "No mail has failed." in page


def test_what_takes_too_long_says_so_and_the_rest_is_shown(some_leads, ann, monkeypatch):
    monkeypatch.setattr(memory, "SLOWEST_SECONDS", 0.02)
    sleeps = [{"$match": {"$expr": {"$function": SLEEP}}}, {"$sortByCount": "$status"}]
    monkeypatch.setattr(
        figures, "leads_by_status", lambda db, limits: list(db.leads.aggregate(sleeps))
    )
    answer = ann.get("/crm")
    assert answer.status_code == 200
    page = answer.get_data(as_text=True)
    assert page.count("Counting this took too long") >= 1
    statuses = page.partition('id="statuses"')[2].partition("</section>")[0]
    assert "Counting this took too long" in statuses


SLEEP = {"body": "function() { sleep(100); return true }", "args": [], "lang": "js"}


def test_slow_counts_are_remembered_and_quick_ones_hardly(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(memory.time, "monotonic", lambda: clock[0])
    kept = memory.Memory()
    took = 0.001

    def count():
        clock[0] += took
        return clock[0]

    first = kept.of("leads", count)
    assert kept.of("leads", count) is first
    clock[0] += 0.1
    assert kept.of("leads", count) is not first
    took = 2.0
    clock[0] += 1
    slow = kept.of("leads", count)
    clock[0] += 29.9
    assert kept.of("leads", count) is slow
    assert kept.of("others", count) is not slow
    clock[0] += 30
    assert kept.of("leads", count) is not slow


def test_only_a_lack_of_time_is_passed_over(db):
    def fail():
        return list(db.leads.aggregate([{"$nonsense": 1}]))

    with pytest.raises(pymongo.errors.OperationFailure):
        bounded.within(5, fail)
    assert bounded.within(5, lambda: 7) == 7


@pytest.mark.parametrize(
    ("leads", "failed_mail", "jobs", "steps"),
    [
        (None, 0, [], []),
        ({"active": 5}, 0, ["running"], []),
        (
            {"failed": 1, "qualified": 1, "new": 1200},
            1,
            ["paused", "running"],
            [
                "1 job stopped: go on with it, or cancel",
                "1 e-mail could not be delivered: correct or drop it",
                "1 lead could not be activated: correct it",
                "Activate 1 qualified lead",
                "Contact or activate 1,200 new leads",
            ],
        ),
    ],
)
def test_what_to_do_next(site, leads, failed_mail, jobs, steps):
    with site.test_request_context():
        assert [step.text for step in next_steps.of(leads, failed_mail, jobs, True)] == steps


def test_people_land_here(ann, visitor):
    assert ann.get("/").location == "/crm"
    assert ann.get("/login").location == "/crm"
    assert visitor.client.get("/crm", headers=PAGE).status_code == 200
