"""The desk of users, in a browser."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import expect

from crmapp.accounts.users import Role


def test_people_are_added_changed_and_disabled(desk: Any, new_desk: Any, new_person: Any) -> None:
    for name in ("gil", "gus", "hal"):
        new_person(f"{name}@example.com", Role.AGENT)
    new_person("sue@example.com", Role.SUPERADMIN)
    page = desk.open("/crm/users").page
    expect(desk.connection).to_have_attribute("data-state", "live")
    rows = page.locator(".users-table tbody tr")
    expect(rows.locator(".select-row")).to_have_count(3)  # of those whom an admin may change

    page.get_by_role("button", name="Add user").click()
    page.get_by_label("Name", exact=True).fill("Nia New")
    page.keyboard.press("Enter")
    expect(page.locator("#add-dialog")).to_contain_text("Please enter an e-mail address.")
    page.get_by_label("E-mail address").fill("nia@example.com")
    page.get_by_role("button", name="Add and invite").click()
    expect(rows.filter(has_text="nia@example.com")).to_contain_text("Invited")

    gil = new_desk().sign_in("gil@example.com")
    desk.select("Gil", "Gus", "Nia New")
    page.get_by_role("button", name="Invite again").click()
    dialog = page.locator("#bulk-dialog")
    expect(dialog).to_contain_text("1 of 3 accounts will be invited.")
    expect(dialog.locator("li")).to_have_count(2)
    expect(dialog.locator("li").first).to_contain_text("Gil")
    expect(dialog.locator("li").first).to_contain_text("needs no invitation")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Disable").click()
    dialog.get_by_role("button", name="Disable 3").click()
    expect(dialog).to_contain_text("3 of 3 accounts disabled.")
    dialog.get_by_role("button", name="Close", exact=True).last.click()
    expect(rows.locator('[data-status="disabled"]')).to_have_count(3)
    gil.page.locator(".sidebar").get_by_role("link", name="Goals").click()
    expect(gil.page.get_by_role("button", name="Sign in")).to_be_visible()

    page.get_by_role("link", name="Gus", exact=True).click()
    expect(desk.connection).to_have_attribute("data-state", "live")
    page.get_by_role("button", name="Enable").click()
    expect(page.locator("h1")).to_contain_text("Active")
    page.get_by_role("button", name="Edit").click()
    page.get_by_label("Name", exact=True).fill("Gustav")
    page.get_by_label("Role").select_option("user")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("h1")).to_contain_text("Gustav")
    expect(page.locator("#user")).to_contain_text("User")
