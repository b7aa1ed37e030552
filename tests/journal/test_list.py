"""The journal's list: what is in it, and how it is narrowed."""

from datetime import UTC, datetime

import pytest
from bson import ObjectId

JOURNAL = "/crm/journal"


@pytest.fixture
def listed(api):
    """The texts that a query lists, in order."""

    def ask(query=""):
        answer = api.get(f"{JOURNAL}?{query}")
        assert answer.status_code == 200, answer.text
        return [entry["text"] for entry in answer.json["data"]["items"]]

    return ask


def test_the_newest_come_first_and_fifty_a_page(api, listed, new_entry):
    for number in range(52):
        new_entry(f"entry {number}", ago=number)
    assert listed() == [f"entry {number}" for number in range(50)]
    assert listed("page=2") == ["entry 50", "entry 51"]
    data = api.get(JOURNAL).json["data"]
    assert (data["total"], data["capped"], data["page"], data["pages"]) == (52, False, 1, 2)


def test_each_filter_narrows_it(listed, new_entry, new_leads, admin):
    (lead,) = new_leads(1)
    new_entry("a call", leadId=lead, ago=1)
    new_entry("a note", kind="note", authorId=admin.key, ago=2)
    new_entry("a meeting (100 %)", kind="meeting", at=datetime(2026, 1, 31, 23, 59, tzinfo=UTC))
    assert listed("kind=note") == ["a note"]
    assert listed(f"lead={lead}") == ["a call"]
    assert listed(f"author={admin.id}") == ["a note"]
    assert listed("q=(100 %25)") == ["a meeting (100 %)"]
    assert listed("q=CALL") == ["a call"]
    assert listed("q=(100") == ["a meeting (100 %)"]
    assert listed("q=.*") == []
    assert listed("from=2026-01-31&to=2026-01-31") == ["a meeting (100 %)"]
    assert listed("to=2026-01-30") == []
    assert listed(f"lead={lead}&kind=note") == []


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("nosuch=1", "There is no filter 'nosuch'"),
        ("kind=party", "kind must be one of call, note, meeting"),
        ("lead=x", "lead must be the id of a lead"),
        ("author=x", "author must be the id of a user"),
        ("from=yesterday", "from must be a day"),
        ("to=9999-12-31", "to must be a day"),
        ("q=%00", "q holds a character"),
        ("page=0", "page must be a whole number from 1 to 200"),
    ],
)
def test_a_list_that_there_cannot_be(api, query, words):
    answer = api.get(f"{JOURNAL}?{query}")
    assert answer.status_code == 400
    assert words in answer.json["msg"]


def test_the_page_tells_who_spoke_with_whom(ann, new_entry, new_leads):
    (lead,) = new_leads(1, name="Olivia <b>Smith</b>")
    new_entry("Wants <script>alert(1)</script>\na demo.", leadId=lead)
    page = ann.get(JOURNAL).text
    assert "Call with Olivia &lt;b&gt;Smith&lt;/b&gt;" in page
    assert "Wants &lt;script&gt;" in page
    assert "by Ann" in page
    assert f'href="/crm/journal?lead={lead}"' in page


def test_what_other_programs_have_broken_is_still_listed(ann, api, db, new_entry):
    new_entry(text=5, at="yesterday", kind=None, leadId="x", authorName=None)
    new_entry(text={"$gt": ""}, leadId={"$ne": 1}, at=None)
    db.journal_entries.insert_one({"_id": ObjectId()})
    page = ann.get(JOURNAL)
    assert page.status_code == 200
    assert page.text.count("the lead exists no more") == 3
    items = api.get(JOURNAL).json["data"]["items"]
    assert len(items) == 3
    for item in items:
        assert ann.get(f"{JOURNAL}/{item['id']}").status_code == 200


def test_an_empty_journal_and_one_without_a_match_say_what_to_do(ann, new_entry, new_leads):
    assert "The journal is empty" in ann.get(JOURNAL).text
    (lead,) = new_leads(1, name="Olivia Smith")
    page = ann.get(f"{JOURNAL}?lead={lead}").text
    assert "Nothing yet with Olivia Smith" in page
    assert f'href="/crm/journal/new?lead={lead}"' in page
    new_entry()
    assert "No entry matches" in ann.get(f"{JOURNAL}?q=nosuch").text
    assert "There is no page 3" in ann.get(f"{JOURNAL}?page=3").text


def test_the_page_shows_what_it_is_narrowed_to(ann, new_entry, new_leads, admin):
    (lead,) = new_leads(1, name="Olivia Smith", email="olivia@example.com")
    new_entry(leadId=lead)
    page = ann.get(f"{JOURNAL}?lead={lead}&author={admin.id}").text
    assert "Lead: <strong>Olivia Smith &lt;olivia@example.com&gt;</strong>" in page
    assert f"Author: <strong>{admin.name}</strong>" in page


def test_only_the_back_office_reads_it(new_api, new_person, visitor):
    assert new_api(new_person("uma@example.com", "user")).get(JOURNAL).status_code == 403
    assert visitor.get(JOURNAL).status_code == 302
    assert visitor.get_json(JOURNAL).status_code == 401


def test_a_date_that_no_calendar_has_is_still_listed(ann, db, listed, new_entry):
    new_entry("in the far future")
    db.journal_entries.update_one({}, [{"$set": {"at": {"$toDate": 2**53}}}])
    new_entry("today")
    assert listed() == ["in the far future", "today"]
    assert "in the far future" in ann.get(JOURNAL).text
