"""How the page stays up to date: one stream for ten tabs, polling without it, and an honest label."""

import re

from playwright.sync_api import expect

from tests.support.waiting import until


def test_ten_tabs_hold_one_stream(smtp, new_leads, desk, new_desk):
    opened = []

    def count(tab):
        tab.page.on(
            "request",
            lambda request: opened.append(request) if request.url.endswith("/stream") else None,
        )

    first = desk.page
    desk = new_desk(beside=desk)
    first.close()
    count(desk)
    desk.open()
    expect(desk.connection).to_have_attribute("data-state", "live")
    tabs = [new_desk(beside=desk) for _ in range(9)]
    for tab in tabs:
        count(tab)
        tab.open()
        expect(tab.connection).to_have_attribute("data-state", "live")
    assert len(opened) == 1
    new_leads(5)
    smtp.delay = 0.3
    tabs[-1].open().select_page()
    tabs[-1].activate()
    for tab in [desk, *tabs]:
        expect(tab.trackers).to_have_attribute("data-completed", "true", timeout=20_000)
    assert len(opened) == 1


def test_the_listening_tab_is_closed_and_another_takes_over(smtp, new_leads, desk, new_desk):
    desk.open()
    expect(desk.connection).to_have_attribute("data-state", "live")
    other = new_desk(beside=desk).open()
    expect(other.connection).to_have_attribute("data-state", "live")
    desk.page.close()
    new_leads(3)
    other.open().select_page()
    other.activate()
    expect(other.trackers).to_have_attribute("data-completed", "true", timeout=20_000)
    expect(other.connection).to_have_attribute("data-state", "live")


def test_without_the_stream_the_page_polls(smtp, new_leads, desk):
    desk.page.route("**/stream", lambda route: route.abort())
    new_leads(30)
    smtp.delay = 0.4
    desk.open().select_page()
    expect(desk.connection).to_have_attribute("data-state", "polling", timeout=15_000)
    desk.activate()
    expect(desk.trackers).to_have_attribute("data-completed", "true", timeout=30_000)
    expect(desk.badge).to_have_attribute("data-total", "0")


def test_the_stream_comes_back_after_a_refusal(desk):
    """A 503 closes an EventSource for good; the page opens a new one."""
    refused = []

    def refuse_twice(route):
        refused.append(route)
        if len(refused) <= 2:
            route.fulfill(status=503, body="")
        else:
            route.continue_()

    desk.page.route("**/stream", refuse_twice)
    desk.open()
    expect(desk.connection).to_have_attribute("data-state", "live", timeout=20_000)
    assert len(refused) == 3


def test_a_user_who_was_signed_out_elsewhere_is_asked_to_sign_in(db, desk, admin):
    desk.open()
    expect(desk.connection).to_have_attribute("data-state", "live")
    db.users.update_one({"_id": admin.key}, {"$inc": {"sessionVersion": 1}})
    expect(desk.page).to_have_url(re.compile(r"/login"), timeout=40_000)


def test_escape_docks_the_dialog_and_it_can_be_shown_again(new_leads, desk):
    new_leads(15_000)
    desk.open().select_all_that_match()
    desk.activate()
    expect(desk.dialog).to_be_visible()
    desk.page.keyboard.press("Escape")
    expect(desk.dialog).to_have_count(0)
    expect(desk.trackers).to_be_visible()
    desk.trackers.get_by_role("button", name="Show in full").click()
    expect(desk.dialog).to_be_visible()
    until(lambda: desk.dialog.count() == 0, 30, "it closes by itself")


def test_a_tracker_can_be_read_by_a_screen_reader(smtp, new_leads, desk):
    new_leads(60)
    smtp.delay = 0.5
    desk.open().select_all_that_match()
    desk.activate()
    expect(desk.trackers.get_by_role("progressbar", name="E-mails sent")).to_be_visible()
    expect(desk.page.locator("#announcer[role=status]")).to_have_text(re.compile(r"\w"))
