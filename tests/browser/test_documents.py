"""The documents and what they are made of, in a browser."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import expect

from crmapp.clock import now


@pytest.fixture
def entries(db: Any, new_leads: Any, admin: Any) -> None:
    (lead,) = new_leads(1, name="Olivia Smith", email="olivia@example.com")
    who = {"leadId": lead, "authorId": admin.key, "authorName": admin.name}
    times = {"at": now(), "createdAt": now(), "updatedAt": now()}
    db.journal_entries.insert_many(
        {"kind": "call", "text": f"Spoke of prices, {number}.", **who, **times}
        for number in range(3)
    )


def test_a_sync_brings_its_documents_to_the_page_by_itself(desk: Any, entries: None) -> None:
    page = desk.open("/sync").page
    entries_tab = page.locator('.tabs [data-type="journal_entries"] .tab-count')
    expect(entries_tab).to_have_text("0")
    button = page.get_by_role("button", name="Sync journal entries")
    button.click()
    expect(entries_tab).to_have_text("3")
    expect(page.locator(".card-item")).to_have_count(3)
    expect(page.locator("#state-journal_entries")).to_contain_text("Last synced just now by Ann")
    expect(button).to_be_focused()
    expect(button).to_have_attribute("aria-disabled", "false")
    expect(desk.trackers.first).to_contain_text("Sync of journal entries")


def test_an_entry_is_written_in_ones_own_time_zone_and_deleted_again(
    new_desk: Any, admin: Any, entries: None, db: Any
) -> None:
    page = new_desk(timezone_id="America/New_York").sign_in().open("/crm/journal/new").page
    expect(page.get_by_text("Your time zone: America/New_York.")).to_be_visible()
    lead = page.get_by_label("Lead")
    lead.press_sequentially("oliv")
    offered = page.locator("#lead-options option")
    expect(offered).to_have_attribute("value", "Olivia Smith <olivia@example.com>")
    lead.fill("Olivia Smith <olivia@example.com>")
    page.get_by_text("Meeting", exact=True).click()
    page.get_by_label("When it took place").fill("2026-03-01T10:00")
    page.get_by_label("What happened").fill("A demo <b>for ten</b>.")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Meeting with Olivia Smith is in the journal.")).to_be_visible()
    entry = db.journal_entries.find_one({"kind": "meeting"})
    assert entry["at"] == datetime(2026, 3, 1, 15, 0, tzinfo=UTC)

    page.get_by_role("link", name="Meeting with Olivia Smith").click()
    expect(page.get_by_label("When it took place")).to_have_value("2026-03-01T10:00")
    expect(page.get_by_text("Your time zone")).to_be_visible()
    page.get_by_role("button", name="Delete…").click()
    expect(page.get_by_role("button", name="Cancel")).to_be_focused()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_text("Meeting with Olivia Smith is deleted.")).to_be_visible()
    assert db.journal_entries.count_documents({"kind": "meeting"}) == 0
