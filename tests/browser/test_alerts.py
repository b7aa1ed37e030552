"""An alert on the page that somebody is looking at."""

import pytest
from playwright.sync_api import expect

from crmapp.alerts import alerts
from crmapp.alerts.conditions import SINCE, Alert, Condition

# An event that Redis was too busy to pass on is made up for at the next heartbeat.
LATE = 20_000
FULL = Alert(Condition.DISK_FULL, f"It has been nearly full {SINCE}.", "Free some space.")
FAILS = Alert(Condition.MAIL_FAILS, f"Much fails {SINCE}.", "See why.", "/crm/jobs", "Open jobs")


@pytest.fixture
def server(new_server):
    return new_server(RUN_WORKERS="0")


def test_it_comes_and_goes_while_one_looks(app, db, desk):
    desk.open("/crm/leads")
    lines = desk.page.locator("#alerts .system-banner")
    expect(desk.page.locator("#connection")).to_have_attribute("data-state", "live")
    expect(lines).to_have_count(0, timeout=LATE)
    alerts.refresh(db, [FAILS, FULL])
    expect(lines).to_have_count(2, timeout=LATE)
    expect(lines.first).to_contain_text("Much fails since ")
    expect(lines.first).to_contain_text(". See why.")
    link = lines.first.get_by_role("link", name="Open jobs")
    link.focus()
    alerts.refresh(db, [FAILS, FULL])
    expect(link).to_be_focused()
    desk.page.reload()
    expect(lines).to_have_count(2, timeout=LATE)
    expect(lines.last).to_contain_text("It has been nearly full since ")
    expect(lines.last.get_by_role("link")).to_have_count(0)
    lines.first.get_by_role("link", name="Open jobs").click()
    expect(lines).to_have_count(2, timeout=LATE)
    alerts.refresh(db, [])
    expect(lines).to_have_count(0, timeout=LATE)


def test_that_no_worker_is_alive_is_said_once(app, db, desk):
    """The line about mail says it too, with less."""
    desk.open("/crm/leads")
    line = desk.page.locator("#system-banner")
    expect(line).to_contain_text("No worker has been seen")
    alerts.refresh(db, [Alert(Condition.NO_WORKER, f"No worker {SINCE}.", "Start one.")])
    expect(desk.page.locator("#alerts")).to_contain_text("Start one.", timeout=LATE)
    expect(line).to_be_hidden(timeout=LATE)
    alerts.refresh(db, [])
    expect(line).to_be_visible(timeout=LATE)
