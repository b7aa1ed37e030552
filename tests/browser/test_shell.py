"""What is around every page: its keys, the search, the tab's title, and its colours."""

import re

from playwright.sync_api import expect

# Notes the colours that the page has when its body is begun, before anything is painted.
WATCH = """
new MutationObserver((_, observer) => {
  if (!document.body) return;
  observer.disconnect();
  window.firstTheme = document.documentElement.dataset.bsTheme;
}).observe(document, {childList: true, subtree: true});
"""


def ready(desk):
    expect(desk.connection).to_have_attribute("data-state", "live")


def test_the_keyboard_leads_everywhere(new_leads, desk):
    new_leads(3)
    keyboard, page = desk.page.keyboard, desk.page
    expect(page).to_have_url(desk.url + "/crm")
    ready(desk)
    for keys, path in (("gl", "/crm/leads"), ("gj", "/crm/jobs"), ("gd", "/crm")):
        keyboard.type(keys)
        expect(page).to_have_url(desk.url + path)
        ready(desk)
    field, dialog = page.locator("#site-search"), page.locator("#keys-dialog")
    page.get_by_role("link", name="what ran").focus()
    keyboard.press("/")
    expect(field).to_be_focused()
    keyboard.type("gl?/")
    expect(field).to_have_value("gl?/")
    expect(dialog).to_be_hidden()
    keyboard.press("Escape")
    expect(page.get_by_role("link", name="what ran")).to_be_focused()
    keyboard.press("Control+/")
    expect(field).not_to_be_focused()
    keyboard.press("?")
    expect(dialog.locator("dl")).to_contain_text("Go to Leads")
    keyboard.type("gl/")
    expect(dialog).to_be_visible()
    expect(page).to_have_url(desk.url + "/crm")
    keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    # What is not a key ends a sequence, and its last key may begin another.
    keyboard.type("gxgl")
    expect(page).to_have_url(desk.url + "/crm/leads")
    ready(desk)
    keyboard.press("/")
    keyboard.type("lead 2")
    keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/crm/search\?q=lead\+2$"))
    expect(page.get_by_role("link", name="Lead 2", exact=True)).to_be_visible()
    expect(field).to_have_value("lead 2")


def test_the_dashboard_follows_a_job_and_so_does_the_tabs_title(smtp, new_leads, desk, program):
    new_leads(15_000)
    expect(desk.page.locator(".statuses a", has_text="New")).to_contain_text("0")
    program.post("/crm/leads/activate", {"filter": {}})
    expect(desk.page).to_have_title(re.compile(r"^\(\d+ %\) Dashboard · crmapp$"))
    expect(desk.page.locator(".dashboard .job-card")).to_be_visible()
    expect(desk.page).to_have_title("Dashboard · crmapp", timeout=60_000)
    active = desk.page.locator(".statuses a", has_text="Active")
    expect(active.locator(".status-count")).to_have_text("15,000", timeout=15_000)


def test_dark_is_there_from_the_first_moment(desk):
    page = desk.page
    ready(desk)
    page.add_init_script(WATCH)
    page.emulate_media(color_scheme="light")
    page.get_by_label("Dark").check(force=True)
    for path in ("/crm", "/crm/leads", "/nothing/here"):
        desk.open(path)
        assert page.evaluate("window.firstTheme") == "dark", path
        ready(desk)
    page.get_by_label("As the system").check(force=True)
    desk.open("/crm")
    assert page.evaluate("window.firstTheme") == "light"
    page.emulate_media(color_scheme="dark")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
