"""The page of the documents: searching them, and how their syncs stand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from bson import ObjectId

from crmapp.clock import now
from crmapp.jobs import jobs
from crmapp.sync.pages import highlighted

SYNC = "/sync"


@pytest.fixture
def new_document(db):
    """Keeps a document, as a sync would."""

    def new(title="Call: prices", text="Spoke of prices.", type="journal_entries", **fields):
        document = {
            "type": type,
            "sourceId": ObjectId(),
            "title": title,
            "text": text,
            "metadata": {},
            "ownerId": None,
            "date": now(),
            "contentHash": "x",
            "sourceHash": "x",
            "syncedAt": now(),
            **fields,
        }
        db.documents.insert_one(document)
        return document

    return new


@pytest.fixture
def new_job(db):
    """Records a sync."""

    def new(user, type="goals", **fields):
        job = {
            "_id": f"{type}_{ObjectId()}",
            "type": type,
            "userId": user.key,
            "userName": user.name,
            "status": "completed",
            "phase": "over",
            "counts": {"total": 5, "synced": 3, "unchanged": 0, "removed": 0, "failed": 2},
            "createdAt": now(),
            "startTime": now(),
            "endTime": now(),
            "trail": [],
            **fields,
        }
        db.jobs.insert_one(job)
        return job

    return new


@pytest.fixture
def found(api):
    """The titles that a query finds, in order."""

    def ask(query=""):
        answer = api.get(f"{SYNC}?{query}")
        assert answer.status_code == 200, answer.text
        return [document["title"] for document in answer.json["data"]["items"]]

    return ask


def test_every_filter_narrows_it(found, new_document, admin):
    new_document("a call", ownerId=admin.key, date=datetime(2026, 1, 31, 23, 59, tzinfo=UTC))
    new_document("a goal", "Win customers", type="goals", date=datetime(2026, 2, 1, tzinfo=UTC))
    assert found() == ["a goal", "a call"]
    assert found("type=goals") == ["a goal"]
    assert found(f"owner={admin.id}") == ["a call"]
    assert found("to=2026-01-31") == ["a call"]
    assert found("from=2026-02-01") == ["a goal"]
    assert found("q=customers") == ["a goal"]
    assert found("q=customers&type=journal_entries") == []


def test_programs_are_told_how_many_there_are_of_each_type(api, new_document):
    for number in range(51):
        new_document(f"entry {number}")
    new_document(type="goals")
    data = api.get(f"{SYNC}?type=journal_entries&page=2").json["data"]
    assert len(data["items"]) == 1
    assert (data["total"], data["capped"], data["page"], data["pages"]) == (51, False, 2, 2)
    assert data["counts"] == {"goals": 1, "journal_entries": 51, "leads": 0}


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("nosuch=1", "There is no filter 'nosuch'"),
        ("type=nosuch", "type must be one of"),
        ("owner=x", "owner must be the id of a user"),
        ("from=x", "from must be a day"),
        ("page=0", "page must be a whole number"),
        ("q=%00", "q holds a character"),
    ],
)
def test_a_search_that_there_cannot_be(api, query, words):
    answer = api.get(f"{SYNC}?{query}")
    assert answer.status_code == 400
    assert words in answer.json["msg"]


def test_the_page_shows_what_was_found_and_where_it_comes_from(ann, new_document, admin):
    entry = new_document("Call: <b>prices</b>", "Wants <script>", ownerId=admin.key)
    goal = new_document("Win", type="goals", date=None)
    new_document("Olivia", type="leads", metadata={"email": "olivia@example.com"})
    page = ann.get(SYNC).text
    assert "Call: &lt;b&gt;prices&lt;/b&gt;" in page
    assert "Wants &lt;script&gt;" in page
    assert f'href="/crm/journal/{entry["sourceId"]}"' in page
    assert f'href="/crm/goals/{goal["sourceId"]}"' in page
    assert 'href="/crm/leads?q=olivia@example.com"' in page
    assert f'href="/sync?owner={admin.id}"' in page
    for button in ("Sync<span", "journal entries</span>", "goals</span>", "leads</span>"):
        assert button in page


def test_the_tabs_keep_what_else_it_is_narrowed_to(ann, new_document):
    new_document()
    new_document(type="goals")
    page = ann.get(f"{SYNC}?type=goals&q=prices").text
    tabs = " ".join(page.partition('<nav class="tabs"')[2].partition("</nav>")[0].split())
    assert 'All <span class="tab-count">2</span>' in tabs
    assert 'href="/sync?q=prices&amp;type=goals" data-type="goals" aria-current="page"' in tabs
    assert 'href="/sync?q=prices&amp;type=leads"' in tabs
    assert 'Leads <span class="tab-count">0</span>' in tabs


@pytest.mark.parametrize(
    ("text", "q", "shown"),
    [
        ("Prices rise, the price fell", "PRICE", "[Price]s rise, the [price] fell"),
        ("Sunrise", "rise", "Sunrise"),
        ("Zürich (CH)", '"zürich (ch)"', "[Zürich] ([CH])"),
        ("a+b", "a+b", "[a]+[b]"),
        ("Hello", ".*", "Hello"),
        ("Hello", "", "Hello"),
        ("", "x", ""),
    ],
)
def test_the_words_of_the_search_are_marked(text, q, shown):
    pieces = highlighted(text, q)
    assert "".join(f"[{piece}]" if found else piece for piece, found in pieces) == shown


def test_marks_are_no_way_in_for_html(ann, new_document):
    new_document(text="Spoke of <i>prices</i>")
    page = ann.get(f"{SYNC}?q=prices").text
    assert "Spoke of &lt;i&gt;<mark>prices</mark>&lt;/i&gt;" in page


def test_each_source_says_when_it_was_synced_last(ann, admin, new_document, new_job):
    page = ann.get(SYNC).text
    assert page.count("Never synced") == 3
    assert "Nothing synced yet" in page
    new_job(admin, endTime=datetime(2026, 1, 31, 12, 0, tzinfo=UTC))
    new_job(admin, createdAt=now() - timedelta(days=1))
    new_job(admin, status="failed")
    new_document()
    page = ann.get(SYNC).text
    assert page.count("Never synced") == 1
    assert page.count("Synced some time ago") == 1
    assert "31 Jan 2026, 12:00 UTC" in page
    assert f"by {admin.name}" in page


def test_failed_items_lead_to_the_job_of_whoever_may_see_it(ann, admin, new_person, new_job):
    mine = new_job(admin)
    page = ann.get(SYNC).text
    assert f'<a href="/crm/jobs/{mine["_id"]}">2 failed</a>' in page
    theirs = new_job(new_person("bob@example.com"))
    page = ann.get(SYNC).text
    assert "2 failed" in page
    assert theirs["_id"] not in page


def test_a_sync_that_is_under_way_is_not_started_again(ann, admin, new_job):
    assert 'aria-disabled="true"' not in ann.get(SYNC).text
    new_job(admin, status="running", phase="working")
    page = ann.get(SYNC).text
    assert f"Syncing</a>, started by {admin.name}" in page
    assert page.count('aria-disabled="true"') == 1


def test_what_is_said_where_nothing_is_found(ann, new_document):
    assert "Press one of the buttons above" in ann.get(f"{SYNC}?q=prices").text
    new_document()
    assert "No goals synced yet" in ann.get(f"{SYNC}?type=goals").text
    page = ann.get(f"{SYNC}?q=nosuch").text
    assert "No document matches" in page
    assert "Search: <strong>nosuch</strong>" in page
    assert "There is no page 7" in ann.get(f"{SYNC}?page=7").text


def test_only_the_back_office_searches_them(new_api, new_person, visitor):
    assert new_api(new_person("uma@example.com", "user")).get(SYNC).status_code == 403
    assert visitor.get(SYNC).status_code == 302
    assert visitor.get_json(SYNC).status_code == 401


def test_a_sync_that_has_stopped_at_a_fault_is_not_told_as_done(ann, db, admin):
    for number, status in enumerate(("completed", "failed")):
        job = jobs.new_job(
            f"goals_{number}", "goals", admin.key, admin.name, {}, 0, counts=("failed",)
        )
        job |= {"status": status, "endTime": now(), "createdAt": now() + timedelta(seconds=number)}
        db.jobs.insert_one(job)
    page = ann.get("/sync").text
    assert page.count("Stopped at a fault") == 1
    db.jobs.update_one({"_id": "goals_1"}, {"$set": {"status": "completed"}})
    assert "Stopped at a fault" not in ann.get("/sync").text
