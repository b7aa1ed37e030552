"""The list of leads in a browser: found, selected and worked on by many at once."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect


@pytest.fixture
def leads(new_leads: Any, admin: Any) -> Any:
    new_leads(40, source="fair", company="Kestrel Foods", tags=["spring"])
    new_leads(30, source="web", company="Other", agentId=admin.key)
    return None


def test_what_is_found_is_tagged_as_it_was_confirmed(
    desk: Any, leads: None, new_leads: Any, db: Any
) -> None:
    """Narrowed down, selected beyond the page, tagged by a job, and shown without a reload."""
    page = desk.open("/crm/leads?pageSize=25").page
    page.get_by_label("Search leads").fill("kestr")
    page.get_by_label("Search leads").press("Enter")
    expect(page.locator("tbody tr")).to_have_count(25)
    expect(desk.connection).to_have_attribute("data-state", "live")
    # A range by shift, which is not all of the page.
    boxes = page.locator(".select-row")
    boxes.nth(2).check()
    boxes.nth(6).click(modifiers=["Shift"])
    expect(page.locator("#selection-text")).to_have_text("5 selected")
    assert page.locator("#select-page").evaluate("box => box.indeterminate")
    desk.select_all_that_match()
    expect(page.locator("#activate")).to_have_text("Activate (40)")

    page.get_by_role("button", name="Tag…").click()
    expect(page.get_by_label("Add tags")).to_be_focused()
    page.get_by_label("Add tags").fill("VIP, a<b>")
    page.get_by_label("Remove tags").fill("spring")
    expect(page.locator("#bulk-dialog")).to_contain_text("40 of 40 leads will be changed.")
    new_leads(3, company="Kestrel Late")
    page.get_by_role("button", name="Tag 40").dblclick()
    expect(page.locator("#bulk-dialog")).not_to_be_visible()
    expect(desk.trackers.first).to_contain_text("40 changed.")
    # The list has the three that came meanwhile, and the tags of the others.
    expect(page.locator("tbody tr").nth(3)).to_contain_text("a<b>")
    assert db.leads.count_documents({"tags": ["VIP", "a<b>"]}) == 40
    assert db.jobs.count_documents({}) == 1

    page.locator(".tag-chip").first.click()
    expect(page.locator(".chips")).to_contain_text("Tag: VIP")
    page.go_back()
    expect(page.get_by_label("Search leads")).to_have_value("kestr")


def test_a_filter_is_saved_and_found_again(desk: Any, leads: None) -> None:
    page = desk.open().page
    page.get_by_text("More filters").click()
    page.get_by_label("Company").press_sequentially("Kes")
    expect(page.locator("#companies option")).to_have_attribute("value", "Kestrel Foods")
    page.get_by_label("Company").fill("Kestrel Foods")
    page.get_by_label("Company").press("Enter")
    expect(page.locator(".chips")).to_contain_text("Company: Kestrel Foods")
    page.get_by_role("link", name="E-mail", exact=True).click()
    expect(page.locator("th.address")).to_have_attribute("aria-sort", "ascending")
    expect(desk.connection).to_have_attribute("data-state", "live")
    page.locator("#saved summary").click()
    page.get_by_label("Name of the filter").fill("Kestrel by address")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The filter “Kestrel by address” is saved.")).to_be_visible()

    desk.open()
    page.locator("#saved summary").click()
    page.get_by_role("link", name="Kestrel by address").click()
    expect(page.locator(".chips")).to_contain_text("Company: Kestrel Foods")
    expect(page.locator("th.address")).to_have_attribute("aria-sort", "ascending")
    expect(desk.connection).to_have_attribute("data-state", "live")
    page.locator("#saved summary").click()
    page.get_by_role("button", name="Delete the filter Kestrel by address").click()
    expect(page.locator("#saved-list li")).to_have_count(0)
    page.get_by_label("Leads a page").select_option("25")
    expect(page.locator("tbody tr")).to_have_count(25)


def test_leads_are_moved_and_deleted_by_keyboard(desk: Any, leads: None, db: Any) -> None:
    """From lead to lead, select, open, come back, and through the dialogs."""
    page = desk.open().page
    expect(desk.connection).to_have_attribute("data-state", "live")
    key = page.keyboard.press
    for pressed in ("j", "j", "x", "j", "x"):
        key(pressed)
    expect(page.locator("#selection-text")).to_have_text("2 selected")
    expect(page.locator("tbody tr").nth(2).locator("a.name")).to_be_focused()
    page.get_by_role("button", name="Status…").focus()
    key("Enter")
    expect(page.get_by_label("New status")).to_be_focused()
    key("c")
    expect(page.get_by_role("button", name="Change 2")).to_be_enabled()
    key("Tab")
    key("Tab")
    key("Enter")
    expect(page.locator('tbody [data-status="contacted"]')).to_have_count(2)
    page.get_by_role("button", name="Delete…").focus()
    key("Enter")
    expect(page.get_by_role("button", name="Delete 2")).to_be_enabled()
    key("Escape")
    expect(page.locator("#bulk-dialog")).not_to_be_visible()
    assert db.leads.count_documents({"status": "contacted"}) == 2
    key("k")
    key("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Lead")
    page.go_back()
    expect(page.locator("tbody tr")).to_have_count(50)


def test_an_action_that_has_become_impossible_says_so(desk: Any, leads: None, db: Any) -> None:
    page = desk.open("/crm/leads?source=fair").page
    desk.select_page()
    db.leads.update_many({"source": "fair"}, {"$set": {"status": "active"}})
    page.get_by_role("button", name="Delete…").click()
    dialog = page.locator("#bulk-dialog")
    expect(dialog).to_contain_text("None of these leads would change.")
    expect(dialog).to_contain_text("40 left")
    expect(page.locator("#confirm-bulk")).to_be_disabled()
    dialog.get_by_role("button", name="Cancel").click()
    db.leads.delete_many({})
    page.get_by_role("button", name="Assign…").click()
    page.get_by_label("Assign to").select_option(label="Nobody")
    expect(dialog.get_by_role("alert")).to_contain_text("None of the selected leads exists")
    with page.expect_download() as export:
        dialog.get_by_role("button", name="Cancel").click()
        db.leads.insert_one({"email": "ann@x.example", "source": "fair"})
        page.get_by_role("link", name="Export").click()
    assert "ann@x.example" in export.value.path().read_text(encoding="utf-8-sig")
