"""The stories of an activation, as a person sees them."""

import re

from playwright.sync_api import expect

from tests.support.ledger import assert_adds_up
from tests.support.waiting import until

# Shows every number that the page has had in its trackers, before and after a reload.
WATCH = """
() => {
  window.seen = [];
  const look = () => {
    for (const item of document.querySelectorAll('.tracker[data-rev], #progress-dialog[data-rev]'))
      window.seen.push([Number(item.dataset.rev), Number(item.dataset.activated)]);
  };
  new MutationObserver(look).observe(document, {subtree: true, childList: true, attributes: true});
  look();
}
"""


def reached(tracker):
    return int(tracker.get_attribute("data-activated"))


def done(db):
    return until(lambda: db.jobs.find_one({"status": "completed"}), 60)


def test_an_activation_of_three_is_watched_to_the_end(db, smtp, new_leads, desk):
    new_leads(3)
    smtp.delay = 0.3
    desk.open().select("Lead 0", "Lead 1", "Lead 2")
    expect(desk.page.locator("#activate")).to_have_text(re.compile(r"Activate \(3\)"))
    desk.activate()
    expect(desk.page.locator(".toast-message")).to_have_text(
        re.compile("3 users created. 3 e-mails are being sent in the background.")
    )
    expect(desk.dialog).to_have_count(0)
    expect(desk.trackers).to_have_attribute("data-completed", "true")
    expect(desk.badge).to_have_attribute("data-total", "0")
    assert_adds_up(db, done(db)["_id"], 3)
    desk.trackers.get_by_role("button", name="Dismiss").click()
    expect(desk.trackers).to_have_count(0)
    desk.page.reload()
    expect(desk.connection).to_have_attribute("data-state", "live")
    expect(desk.trackers).to_have_count(0)


def test_a_refresh_in_the_middle_never_shows_less(db, new_leads, desk):
    new_leads(15_000)
    desk.open().select_all_that_match()
    desk.page.add_init_script(f"addEventListener('DOMContentLoaded', {WATCH})")
    desk.activate()
    until(lambda: (db.activation_progress.find_one() or {"activated": 0})["activated"] > 500)
    before = db.activation_progress.find_one()["activated"]
    desk.page.reload()
    expect(desk.trackers).to_have_count(1)
    expect(desk.trackers).to_have_attribute("data-activated", "15000", timeout=30_000)
    seen = desk.page.evaluate("window.seen")
    assert seen[0][1] >= before
    assert [activated for _, activated in seen] == sorted(activated for _, activated in seen)


def test_the_server_is_restarted_in_the_middle(db, server, new_leads, desk):
    new_leads(15_000)
    desk.open().select_all_that_match()
    desk.activate()
    until(lambda: (db.activation_progress.find_one() or {"activated": 0})["activated"] > 500)
    server.kill()
    killed_at = db.jobs.find_one()["counts"]["activated"]
    expect(desk.connection).to_have_attribute("data-state", "offline", timeout=15_000)
    server.start()
    expect(desk.connection).to_have_attribute("data-state", "live", timeout=40_000)
    shown = desk.page.locator("[data-activated]").first
    until(lambda: reached(shown) == 15_000, 40)
    assert 0 < killed_at < 15_000
    assert db.users.count_documents({"leadId": {"$ne": None}}) == 15_000


def test_two_sessions_in_two_tabs_are_independent(db, smtp, new_leads, desk, new_desk):
    new_leads(4)
    smtp.delay = 0.5
    other = new_desk(beside=desk).open()
    desk.open().select("Lead 0")
    other.select("Lead 1", "Lead 2", "Lead 3")
    desk.activate()
    other.activate()
    for page in (desk, other):
        expect(page.trackers).to_have_count(2)
        expect(page.page.locator(".tracker[data-completed='true']")).to_have_count(
            2, timeout=20_000
        )
        assert sorted(reached(tracker) for tracker in page.trackers.all()) == [1, 3]
    assert smtp.count == 4


def test_a_refresh_while_mail_is_sent(db, smtp, new_leads, desk):
    new_leads(40)
    smtp.delay = 0.5
    desk.open().select_page()
    desk.activate()
    until(lambda: 0 < smtp.count < 30)
    desk.page.reload()
    expect(desk.trackers).to_contain_text(re.compile(r"Sending e-mails \d+ / 40"))
    until(lambda: int(desk.badge.get_attribute("data-total") or 0) > 0)
    expect(desk.trackers).to_have_attribute("data-completed", "true", timeout=30_000)
    assert smtp.count == 40


def test_the_browser_is_closed_and_opened_again(smtp, new_leads, desk, new_desk, server):
    new_leads(60)
    smtp.delay = 0.5
    desk.open().select_all_that_match()
    desk.activate()
    until(lambda: smtp.count > 0)
    desk.page.context.close()
    again = new_desk().sign_in().open()
    expect(again.trackers).to_have_attribute("data-activated", "60")
    expect(again.trackers).to_have_attribute("data-completed", "true", timeout=30_000)


def test_mail_is_sent_with_nobody_signed_in(db, smtp, new_leads, desk):
    new_leads(30)
    smtp.delay = 0.3
    desk.open().select_page()
    desk.activate()
    until(lambda: smtp.count > 0)
    desk.sign_out()
    done(db)
    assert smtp.count == 30
    desk.sign_in()
    expect(desk.badge).to_have_attribute("data-total", "0")


def test_a_second_admin_sees_the_badge_fall(smtp, new_person, new_leads, desk, new_desk):
    new_person("bob@example.com")
    bob = new_desk().sign_in("bob@example.com")
    new_leads(60)
    smtp.delay = 0.4
    desk.open().select_all_that_match()
    desk.activate()
    shown = []
    until(
        lambda: (
            shown.append(int(bob.badge.get_attribute("data-total"))) or shown[-1] == 0 < max(shown)
        ),
        30,
    )
    assert len(set(shown)) >= 4
    # It is ann's session, not bob's.
    expect(bob.trackers).to_have_count(0)


def test_a_double_click_starts_one_session(db, new_leads, desk):
    new_leads(5)
    desk.open().select_page()
    desk.page.locator("#activate").click()
    expect(desk.page.locator("#confirm-activate")).to_be_enabled()
    desk.page.locator("#confirm-activate").dblclick()
    expect(desk.trackers).to_have_count(1)
    assert db.jobs.count_documents({}) == 1
    assert db.users.count_documents({"leadId": {"$ne": None}}) == 5
