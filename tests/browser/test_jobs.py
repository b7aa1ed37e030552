"""The pages of jobs, and steering a job from wherever it is shown."""

import re

import pytest
from playwright.sync_api import expect

from crmapp.accounts.users import Role
from crmapp.clock import now
from crmapp.jobs import jobs
from tests.support.waiting import until

MANY = 15_000


@pytest.fixture
def time_to_undo(environ):
    environ["UNDO_SECONDS"] = "60"


@pytest.fixture
def no_workers(environ):
    """Jobs are recorded and steered, and nobody runs them."""
    environ["RUN_WORKERS"] = "0"


@pytest.fixture
def bob(new_person, new_desk):
    """A superadmin, who sees everybody's jobs."""
    new_person("bob@example.com", Role.SUPERADMIN)
    return new_desk().sign_in("bob@example.com")


@pytest.fixture
def new_jobs(db, admin):
    """Records finished jobs of the past."""

    def new(count, type="activation", status="completed"):
        done = {
            "status": status,
            "phase": "over",
            "startTime": now(),
            "endTime": now(),
            "duration": 4200,
        }
        db.jobs.insert_many(
            {**jobs.new_job(jobs.new_id(type), type, admin.key, admin.name, {}, 0), **done}
            for _ in range(count)
        )

    return new


def cards(desk):
    return desk.page.locator(".job-card")


def press(place, control):
    place.locator(f"[data-control={control}]:visible").click()


def stage(name):
    return ("data-stage", name)


def ready(desk):
    """Waits until the scripts of the page are at work."""
    expect(desk.connection).to_have_attribute("data-state", "live")


def test_a_job_is_paused_resumed_and_cancelled_on_the_page_of_jobs(db, new_leads, desk):
    new_leads(MANY)
    desk.open().select_all_that_match()
    desk.activate()
    desk.open("/crm/jobs")
    press(cards(desk), "pause")
    expect(cards(desk)).to_have_attribute(*stage("paused"))
    expect(desk.trackers).to_have_count(0)
    desk.page.reload()
    expect(cards(desk).locator(".status-badge")).to_have_text("Paused")
    held = db.jobs.find_one()["counts"]["activated"]
    expect(cards(desk)).to_have_attribute("data-activated", str(held))
    press(cards(desk), "resume")
    press(cards(desk), "cancel")
    dialog = desk.page.locator("#cancel-dialog")
    expect(dialog.locator('[data-field="kept"]')).to_contain_text("created so far")
    expect(dialog.locator('[data-field="returned"]')).to_contain_text("of 15,000 leads not reached")
    desk.page.locator("#confirm-cancel").click()
    row = desk.page.locator(".jobs-table tbody tr")
    expect(row.locator(".status-badge")).to_have_text("Cancelled", timeout=20_000)
    kept = db.jobs.find_one()["counts"]["activated"]
    assert held <= kept < MANY
    assert db.leads.count_documents({"status": "new"}) == MANY - kept


def test_without_the_stream_the_panel_polls_and_stops_when_nothing_is_active(smtp, new_leads, desk):
    desk.page.route("**/stream", lambda route: route.abort())
    new_leads(50)
    smtp.delay = 1
    desk.open().select_page()
    desk.activate()
    expect(desk.page.locator("#jobs-badge")).to_have_attribute("data-active", "1")
    desk.open("/crm/jobs")
    expect(cards(desk).locator(".job-note")).to_have_text(re.compile(r"Sending e-mails \d+ / 50"))
    expect(desk.connection).to_have_attribute("data-state", "polling", timeout=15_000)
    expect(cards(desk)).to_have_count(0, timeout=20_000)
    row = desk.page.locator(".jobs-table tbody tr")
    expect(row.locator(".status-badge")).to_have_text("Completed")
    asked = []
    desk.page.on("request", lambda request: asked.append(request.url))
    with desk.page.expect_request("**/crm/jobs/active", timeout=15_000):
        pass
    assert not [url for url in asked if "/progress/" in url]


def test_two_admins_steer_the_same_job(new_leads, desk, bob):
    new_leads(MANY)
    bob.open("/crm/jobs")
    desk.open().select_all_that_match()
    desk.activate()
    press(cards(bob), "pause")
    expect(desk.dialog).to_have_attribute(*stage("paused"))
    desk.page.keyboard.press("Escape")
    expect(desk.trackers.locator(".status-badge")).to_have_text("Paused")
    press(bob.page.locator(".job-card"), "cancel")
    press(desk.trackers, "resume")
    expect(cards(bob)).to_have_attribute(*stage("work"))
    press(desk.trackers, "cancel")
    desk.page.locator("#confirm-cancel").click()
    expect(bob.page.locator("#confirm-cancel")).to_be_disabled()
    expect(bob.page.locator("#cancel-dialog")).to_contain_text("nothing left to cancel")
    expect(desk.page.locator(".toast-message")).to_contain_text("not reached", timeout=20_000)
    # It was not bob who started it.
    expect(bob.page.locator(".toast-message", has_text="not reached")).to_have_count(0)


def test_an_activation_is_undone_in_the_dock_and_on_the_page(
    time_to_undo, db, smtp, new_leads, desk
):
    new_leads(3)
    for place in ("dock", "page"):
        desk.open().select_page()
        desk.activate()
        expect(desk.dialog).to_have_count(0)
        expect(desk.trackers.locator(".countdown").first).to_have_text(re.compile(r"\d+ s"))
        if place == "page":
            desk.open("/crm/jobs")
            press(cards(desk), "undo")
        else:
            press(desk.trackers, "undo")
        expect(desk.page.locator(".toast-message")).to_contain_text("3 users removed")
        assert db.leads.count_documents({"status": "new"}) == 3
        assert db.users.count_documents({"leadId": {"$ne": None}}) == 0
        if place == "dock":
            desk.trackers.get_by_role("button", name="Dismiss").click()
    assert smtp.count == 0


def test_a_jobs_page_tells_what_failed_and_why_and_tries_it_again(db, smtp, new_leads, desk):
    new_leads(2)
    bad = new_leads(3, email="not an address")
    new_leads(1, status="active")
    desk.open().select_page()
    desk.activate()
    until(lambda: db.jobs.find_one({"phase": "over"}))
    desk.open("/crm/jobs")
    desk.page.locator(".jobs-table .job > a").click()
    rows = desk.page.locator("#error-rows tr")
    expect(rows).to_have_count(4)
    expect(desk.page.locator("#job-timeline li").first).to_contain_text("Ann started it")
    ready(desk)
    desk.page.locator(".group[data-state=failed]").click()
    expect(rows).to_have_count(3)
    expect(desk.page.locator("#errors-csv")).to_have_attribute("href", re.compile("state=failed"))
    with desk.page.expect_download() as download:
        desk.page.locator("#errors-csv").click()
    assert download.value.path().read_text("utf-8-sig").count("not an address") == 3
    db.leads.update_one({"_id": bad[0]}, {"$set": {"email": "right@example.com"}})
    press(desk.page.locator("#job"), "retry")
    link = desk.page.locator("#job-facts a", has_text="Activation")
    expect(link).to_have_count(1)
    expect(desk.page.locator("#job-timeline")).to_contain_text("tried again")
    until(lambda: smtp.taken["right@example.com"])
    link.click()
    expect(desk.page).to_have_url(re.compile(db.jobs.find_one({"retryOf": {"$ne": None}})["_id"]))
    expect(desk.page.locator("#job-facts")).to_contain_text("Retry of")
    expect(desk.page.locator("#job [data-field=failed]")).to_have_text("2")


def test_whoever_started_it_is_told_on_another_page_and_only_once(
    smtp, new_leads, desk, new_desk, bob, program
):
    new_leads(3)
    desk.open("/crm/email-queue")
    other = new_desk(beside=desk).open("/crm/jobs")
    bob.open()
    for tab in (desk, other, bob):
        ready(tab)
    program.post("/crm/leads/activate", {"filter": {}})
    told = [tab.page.locator(".toast-message") for tab in (desk, other)]
    until(lambda: sum(toasts.count() for toasts in told) == 1)
    texts = [text for toasts in told for text in toasts.all_inner_texts()]
    assert re.search("3 users created", texts[0])
    expect(bob.page.locator(".jobs-table .status-badge, .tracker")).to_have_count(1)
    expect(bob.page.locator(".toast-message")).to_have_count(0)
    other.open("/crm/leads")
    expect(other.trackers).to_have_attribute("data-completed", "true")
    expect(other.page.locator(".toast-message")).to_have_count(0)


def test_the_history_keeps_its_filter_in_the_address(new_jobs, desk):
    new_jobs(51)
    new_jobs(3, "goals")
    new_jobs(2, "goals", "cancelled")
    desk.open("/crm/jobs").page.get_by_role("link", name="All jobs").first.click()
    rows = desk.page.locator(".jobs-table tbody tr")
    expect(rows).to_have_count(50)
    desk.page.get_by_role("link", name="Page 2").click()
    expect(rows).to_have_count(6)
    ready(desk)
    desk.page.get_by_label("Type").select_option("goals")
    expect(rows).to_have_count(5)
    ready(desk)
    desk.page.get_by_label("Status").select_option("cancelled")
    expect(rows).to_have_count(2)
    expect(desk.page).to_have_url(re.compile(r"history\?type=goals&status=cancelled$"))
    expect(desk.page.locator("#export")).to_have_attribute(
        "href", "/crm/jobs/history.csv?type=goals&status=cancelled"
    )
    expect(desk.page.locator(".chart")).to_have_count(4)
    desk.page.go_back()
    expect(rows).to_have_count(5)
    expect(desk.page.get_by_label("Status")).to_have_value("")
    expect(desk.page.get_by_label("Type")).to_have_value("goals")


def test_a_job_is_steered_with_the_keyboard_alone(no_workers, db, new_leads, desk, program):
    new_leads(5)
    program.post("/crm/leads/activate", {"filter": {}})
    desk.open("/crm/jobs")
    button = {
        name: cards(desk).locator(f"[data-control={name}]")
        for name in ("pause", "resume", "cancel")
    }
    button["pause"].focus()
    desk.page.keyboard.press("Enter")
    expect(button["resume"]).to_be_focused()
    expect(desk.page.locator("#announcer")).to_contain_text("Paused")
    desk.page.keyboard.press("Enter")
    expect(button["pause"]).to_be_focused()
    desk.page.keyboard.press("Tab")
    desk.page.keyboard.press("Enter")
    expect(desk.page.locator("#cancel-dialog")).to_be_visible()
    desk.page.keyboard.press("Escape")
    expect(button["cancel"]).to_be_focused()
    assert db.jobs.find_one()["phase"] == "working"
    desk.page.keyboard.press("Enter")
    desk.page.keyboard.press("Tab")
    desk.page.keyboard.press("Tab")
    expect(desk.page.locator("#confirm-cancel")).to_be_focused()
    desk.page.keyboard.press("Enter")
    expect(cards(desk)).to_have_attribute(*stage("cancelling"))
    expect(cards(desk)).to_be_focused()
