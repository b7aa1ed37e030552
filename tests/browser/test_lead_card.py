"""A lead's page in a browser."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import expect


def test_a_lead_is_edited_and_deleted_by_keyboard_alone(desk: Any, db: Any, new_leads: Any) -> None:
    (lead_id,) = new_leads(1, name="Olivia Smith", tags=["vip", "new"])
    new_leads(1, tags=["Berlin", "cold"])
    page = desk.open(f"/crm/leads/{lead_id}").page
    keyboard = page.keyboard
    offered = page.locator("#tag-options option")
    expect(offered.first).to_have_attribute("value", "vip, Berlin")  # the scripts have run

    keyboard.press("e")
    expect(page.get_by_label("Name")).to_be_focused()
    keyboard.type("Olivia Stone")  # the field's text is selected, as after Tab
    for _ in range(2):
        keyboard.press("Tab")
    email = page.get_by_label("E-mail", exact=True)
    expect(email).to_be_focused()
    keyboard.type("nonsense")
    keyboard.press("Enter")
    expect(email).to_have_accessible_description(
        "This is no e-mail address. An email address must have an @-sign."
    )
    expect(email).to_be_focused()
    expect(page).to_have_title("Error: Olivia Smith · crmapp")
    expect(page.get_by_label("Name")).to_have_value("Olivia Stone")

    keyboard.press("Control+A")
    keyboard.type("Stone@Example.com")
    for _ in range(5):
        keyboard.press("Tab")
    tags = page.get_by_label("Tags")
    expect(tags).to_be_focused()
    keyboard.press("End")
    keyboard.type(", B")
    expect(offered).to_have_count(2)
    expect(offered.first).to_have_attribute("value", "vip, new, Berlin")
    keyboard.type("erlin")
    keyboard.press("Enter")

    expect(page.get_by_role("heading", level=1)).to_contain_text("Olivia Stone")
    newest = page.locator(".timeline li").first
    expect(newest).to_contain_text("Changed")
    rows = newest.locator(".changes > div")
    expect(rows).to_have_count(3)
    expect(rows.nth(0)).to_have_text("Name Olivia Smith → Olivia Stone", use_inner_text=True)
    assert db.leads.find_one({"_id": lead_id})["tags"] == ["vip", "new", "Berlin"]

    expect(offered.first).to_have_attribute("value", "vip, new, Berlin")
    page.get_by_role("button", name="Delete…").focus()
    keyboard.press("Enter")
    expect(page.get_by_role("button", name="Cancel")).to_be_focused()
    keyboard.press("Escape")
    expect(page.locator("#delete-dialog")).to_be_hidden()
    expect(page.get_by_role("button", name="Delete…")).to_be_focused()
    keyboard.press("Enter")
    keyboard.press("Tab")
    keyboard.press("Enter")
    expect(page.get_by_text("Olivia Stone is deleted.")).to_be_visible()
    assert db.leads.find_one({"_id": lead_id}) is None
