"""Adding, editing and deleting a journal entry in the browser."""

from datetime import UTC, datetime, timedelta

import pytest
from bson import ObjectId

from crmapp.clock import now
from crmapp.wire import iso

JOURNAL = "/crm/journal"
NEW = f"{JOURNAL}/new"


@pytest.fixture
def lead(new_leads):
    (lead,) = new_leads(1, name="Olivia Smith", email="olivia@example.com")
    return lead


def test_an_entry_is_added(ann, db, lead, admin):
    answer = ann.submit(
        JOURNAL,
        NEW,
        leadId="",
        lead="Olivia Smith <olivia@example.com>",
        kind="meeting",
        text="  First line\r\nsecond line ",
        at="2026-01-31T14:30",
    )
    assert answer.status_code == 302, answer.text
    (entry,) = db.journal_entries.find()
    assert (entry["leadId"], entry["kind"]) == (lead, "meeting")
    assert entry["text"] == "First line\nsecond line"
    assert entry["at"] == datetime(2026, 1, 31, 14, 30, tzinfo=UTC)
    assert (entry["authorId"], entry["authorName"]) == (admin.key, admin.name)
    assert entry["createdAt"] == entry["updatedAt"]
    assert "Meeting with Olivia Smith is in the journal." in ann.get(answer.location).text


def test_a_lead_is_chosen_by_the_address_of_the_page(ann, lead):
    page = ann.get(f"{NEW}?lead={lead}").text
    assert 'value="Olivia Smith &lt;olivia@example.com&gt;"' in page
    assert f'value="{lead}"' in page


def test_what_was_typed_is_kept_and_each_fault_stands_at_its_field(ann, db, lead):
    answer = ann.submit(
        JOURNAL,
        NEW,
        leadId="",
        lead="nobody <b>",
        kind="party",
        text="<i>Spoke</i>",
        at=(now() + timedelta(days=1)).isoformat(),
    )
    assert answer.status_code == 422
    assert 'value="nobody &lt;b&gt;"' in answer.text
    assert "&lt;i&gt;Spoke&lt;/i&gt;</textarea>" in answer.text
    for name, words in {
        "leadId": "No lead is called that.",
        "kind": "Kind must be one of call, note, meeting.",
        "at": "That lies in the future",
    }.items():
        assert f'<p class="field-error" id="{name}-error">{words}' in answer.text
        assert f'aria-describedby="{name}-error' in answer.text
    assert answer.text.count('aria-invalid="true"') == 3
    assert db.journal_entries.count_documents({}) == 0


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("text", "", "Write what happened."),
        ("text", "x" * 10_001, "Text is longer than 10000 characters."),
        ("at", "soon", "At must be a date and a time"),
        ("at", "1969-12-31T23:59", "At is too long ago."),
        ("leadId", "65a000000000000000000001", "There is no such lead any more."),
        ("leadId", "", "Choose the lead"),
    ],
)
def test_what_cannot_be_an_entry(ann, lead, field, value, words):
    fields = {"leadId": str(lead), "kind": "call", "text": "Hello", "at": "2026-01-31T14:30"}
    answer = ann.submit(JOURNAL, NEW, **{**fields, field: value})
    assert answer.status_code == 422
    assert words in answer.text


def test_lines_count_as_they_were_typed(ann, db, lead):
    """A browser sends each end of a line as two characters, and lets 10,000 of one be typed."""
    text = "x\r\n" * 4999 + "xx"
    fields = {"leadId": str(lead), "kind": "call", "at": "2026-01-31T14:30"}
    assert ann.submit(JOURNAL, NEW, **fields, text=text).status_code == 302
    assert len(db.journal_entries.find_one()["text"]) == 10_000


def test_an_entry_is_changed(ann, db, lead, new_entry):
    entry = new_entry(leadId=lead, ago=60)
    path = f"{JOURNAL}/{entry['_id']}"
    assert "Spoke of prices.</textarea>" in ann.get(path).text
    answer = ann.submit(
        path,
        leadId=str(lead),
        lead="Olivia Smith <olivia@example.com>",
        kind="note",
        text="Spoke of the weather.",
        at="2026-01-31T14:30",
        updatedAt=iso(entry["updatedAt"]),
    )
    assert answer.status_code == 302, answer.text
    changed = db.journal_entries.find_one()
    assert (changed["kind"], changed["text"]) == ("note", "Spoke of the weather.")
    assert changed["updatedAt"] > entry["updatedAt"]
    assert changed["createdAt"] == entry["createdAt"]
    assert changed["authorId"] == entry["authorId"]


def test_typing_another_lead_overrules_the_one_that_was_chosen(ann, db, lead, new_leads, new_entry):
    (other,) = new_leads(1, name="Harry Ward", email="harry@example.com")
    entry = new_entry(leadId=lead)
    fields = {"leadId": str(lead), "kind": "call", "text": "Hello", "at": "2026-01-31T14:30"}
    ann.submit(f"{JOURNAL}/{entry['_id']}", **fields, lead="harry@example.com")
    assert db.journal_entries.find_one()["leadId"] == other


def test_an_entry_outlives_its_lead(ann, db, new_entry):
    entry = new_entry()
    page = ann.get(f"{JOURNAL}/{entry['_id']}").text
    assert "The lead of this entry exists no more." in page
    fields = {"leadId": str(entry["leadId"]), "lead": "", "kind": "call", "text": "New words."}
    answer = ann.submit(f"{JOURNAL}/{entry['_id']}", **fields, at="2026-01-31T14:30")
    assert answer.status_code == 302
    changed = db.journal_entries.find_one()
    assert (changed["text"], changed["leadId"]) == ("New words.", entry["leadId"])


def test_nobody_overwrites_unseen_what_another_has_changed(ann, db, lead, new_entry):
    entry = new_entry(leadId=lead, ago=60)
    path = f"{JOURNAL}/{entry['_id']}"
    fields = {"leadId": str(lead), "kind": "call", "at": "2026-01-31T14:30"}
    seen = iso(entry["updatedAt"])
    ann.submit(path, **fields, text="What Bob wrote.", updatedAt=seen)
    answer = ann.submit(path, **fields, text="What Ann wrote.", updatedAt=seen)
    assert answer.status_code == 409
    assert "Somebody else has changed this meanwhile" in answer.text
    assert "What Ann wrote.</textarea>" in answer.text
    now_there = db.journal_entries.find_one()
    assert now_there["text"] == "What Bob wrote."
    newest = iso(now_there["updatedAt"])
    assert f'name="updatedAt" value="{newest}"' in answer.text
    assert ann.submit(path, **fields, text="Both.", updatedAt=newest).status_code == 302
    assert db.journal_entries.find_one()["text"] == "Both."


def test_an_entry_is_deleted_after_a_question(ann, db, new_entry):
    entry, other = new_entry(), new_entry("Stays.")
    page = ann.get(f"{JOURNAL}/{entry['_id']}").text
    assert '<dialog id="delete-dialog"' in page
    assert f'action="/crm/journal/{entry["_id"]}/delete"' in page
    answer = ann.submit(f"{JOURNAL}/{entry['_id']}/delete", NEW)
    assert answer.status_code == 302
    assert [left["_id"] for left in db.journal_entries.find()] == [other["_id"]]
    assert "Call is deleted." in ann.get(answer.location).text
    assert ann.submit(f"{JOURNAL}/{entry['_id']}/delete", NEW).status_code == 404


def test_the_way_back_is_the_list_as_it_was(ann, lead, new_entry):
    entry = new_entry(leadId=lead)
    list_page = ann.get(f"{JOURNAL}?lead={lead}&kind=call").text
    query = f"kind=call&amp;lead={lead}"
    assert f'href="/crm/journal/{entry["_id"]}?{query}"' in list_page
    path = f"{JOURNAL}/{entry['_id']}?kind=call&lead={lead}&_external=1"
    assert f'href="/crm/journal?{query}">Cancel' in ann.get(path).text
    fields = {"leadId": str(lead), "kind": "call", "text": "x", "at": "2026-01-31T14:30"}
    assert ann.submit(path, **fields).location == f"/crm/journal?kind=call&lead={lead}"


def test_a_form_needs_its_token(ann, db, lead):
    fields = {"leadId": str(lead), "kind": "call", "text": "x", "at": "2026-01-31T14:30"}
    assert ann.client.post(JOURNAL, data=fields).status_code == 400
    assert db.journal_entries.count_documents({}) == 0


def test_an_entry_that_is_not_there(ann):
    for entry_id in (ObjectId(), "nonsense"):
        assert ann.get(f"{JOURNAL}/{entry_id}").status_code == 404
        assert ann.submit(f"{JOURNAL}/{entry_id}", NEW, text="x").status_code == 404
