"""A whole working day without a mouse: every step is a key, and what has the focus is where a person would look."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import expect

from tests.conftest import PASSWORD

FILE = b"Name,Email,Company\nOlivia Smith,olivia@kestrel.example,Kestrel\nHarry Ward,harry@x.example,X\n"


def test_a_working_day_by_keyboard(smtp: Any, new_desk: Any, admin: Any, db: Any) -> None:
    desk = new_desk()
    page = desk.open("/login").page
    key, write = page.keyboard.press, page.keyboard.type

    def tab_to(name: str, role: Any = "button") -> None:
        """Press Tab until it has the focus."""
        wanted = page.get_by_role(role, name=name).first
        wanted.wait_for()
        for _ in range(80):
            if wanted.evaluate("it => it === document.activeElement"):
                return
            key("Tab")
        raise AssertionError(f"Tab never comes to {name}")

    def live() -> None:
        expect(desk.connection).to_have_attribute("data-state", "live")

    # In the morning: sign in, and look what is going on.
    expect(page.get_by_label("E-mail")).to_be_focused()
    write(admin.email)
    key("Tab")
    write(PASSWORD)
    key("Enter")
    page.wait_for_url("**/crm")
    expect(page.get_by_role("heading", level=1)).to_have_text("Dashboard")
    live()

    # A file of leads is imported.
    key("g")
    key("l")
    live()
    tab_to("Import", "link")
    key("Enter")
    live()
    # The dialog in which a file is chosen is the browser's own.
    file = {"name": "fair.csv", "mimeType": "text/csv", "buffer": FILE}
    page.locator('input[type="file"]').set_input_files(file)
    page.wait_for_url("**/crm/leads/imports/*")
    live()
    tab_to("Start the import")
    key("Enter")
    expect(page.locator("main")).to_contain_text("2 imported")

    # One of them is called, and that is written down.
    key("/")
    write("olivia")
    key("Enter")
    live()
    tab_to("Olivia Smith", "link")
    key("Enter")
    live()
    key("e")
    expect(page.get_by_label("Name", exact=True)).to_be_focused()
    write("Olivia Smith-Jones")
    key("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Olivia Smith-Jones")
    live()
    tab_to("Add entry", "link")
    key("Enter")
    page.get_by_label("What happened").wait_for()
    while not page.get_by_label("What happened").evaluate("it => it === document.activeElement"):
        key("Tab")
    write("Called: wants a demo.")
    tab_to("Save")
    key("Enter")
    expect(page.locator("main")).to_contain_text("is in the journal")

    # Both are activated, and the mail leaves.
    live()
    key("g")
    key("l")
    live()
    for pressed in ("j", "x", "j", "x"):
        key(pressed)
    tab_to("Activate (2)")
    key("Enter")
    expect(page.locator("#confirm-activate")).to_be_focused()
    key("Enter")
    shown = page.get_by_text("2 e-mails sent").locator("visible=true")
    expect(shown.first).to_be_visible()
    key("Escape")
    expect(page.locator('tbody [data-status="active"]')).to_have_count(2)

    # In the evening: the list of keys, the queue, and home.
    key("?")
    expect(page.locator("#keys-dialog")).to_contain_text("Go to")
    key("Escape")
    key("g")
    key("q")
    expect(page.get_by_role("heading", level=1)).to_contain_text("E-mail queue")
    live()
    tab_to("Sign out")
    key("Enter")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    assert db.users.count_documents({"leadId": {"$type": "objectId"}}) == 2
