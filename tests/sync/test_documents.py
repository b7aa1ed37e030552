"""Searching the documents."""

import datetime as dt

import pytest
from bson import ObjectId

from crmapp.requests import BadInput
from crmapp.sync import documents


@pytest.fixture
def add(db):
    def add(title, text="", type="journal_entries", day=1, **more):
        at = dt.datetime(2026, 1, day, 12, tzinfo=dt.UTC)
        fields = {
            "type": type,
            "sourceId": ObjectId(),
            "title": title,
            "text": text,
            "metadata": {},
        }
        fields |= {
            "ownerId": None,
            "date": at,
            "syncedAt": at,
            "contentHash": "",
            "sourceHash": b"",
        }
        db.documents.insert_one({**fields, **more})

    return add


@pytest.fixture
def titles(db):
    """The titles that a query finds, in their order."""
    return lambda **values: [item["title"] for item in documents.search(db, values)[0].items]


def test_the_newest_come_first(add, titles):
    for title, type, day in (("b", "goals", 2), ("c", "leads", 3), ("a", "goals", 1)):
        add(title, type=type, day=day)
    assert titles() == ["c", "b", "a"]
    assert titles(type="goals") == ["b", "a"]


def test_what_fits_best_comes_first(add, titles):
    add("A call", text="They asked for the budget.", day=3)
    add("The budget", text="The budget is fine.", day=1)
    add("Nothing of it", day=4)
    assert titles(q="budget") == ["The budget", "A call"]


SEARCHES = [
    ("printer Berlin", ["one"]),
    ("PRINTER berlin", ["one"]),
    ('"in Berlin"', ["one"]),
    ('"Berlin in"', []),
    ("printers", ["two"]),
    ("follow-up", ["two"]),
    ("-berlin printer", []),
    ("ann@example.com", ["two"]),
    ("Zürich", ["two"]),
    ('printer"', ["one", "two"]),
    ('"', []),
    ("\\", []),
    ("$where", []),
    ("...", []),
]


def test_all_words_must_be_there_and_none_is_a_command(add, titles):
    add("one", text="The printer in Berlin.")
    add("two", text="Printers in Zürich; follow-up by ann@example.com")
    assert [(q, sorted(titles(q=q))) for q, _ in SEARCHES] == SEARCHES


def test_by_owner_and_days(add, titles, db, admin):
    add("mine", ownerId=admin.key, day=5)
    add("another's", ownerId=ObjectId(), day=5)
    add("of nobody", day=6)
    assert titles(owner=str(admin.key)) == ["mine"]
    assert titles(**{"from": "2026-01-06"}) == ["of nobody"]
    assert sorted(titles(to="2026-01-05")) == ["another's", "mine"]
    (item,) = documents.search(db, {"owner": str(admin.key)})[0].items
    assert item["ownerName"] == "Ann"
    assert [person["name"] for person in documents.owners(db)] == ["Ann"]


def test_pages(add, titles, db):
    for _ in range(60):
        add("alike")
    page, filter = documents.search(db, {"q": "alike", "page": "2"})
    assert (len(page.items), page.total, page.capped, page.pages) == (10, 60, False, 2)
    assert filter == {"q": "alike"}
    ids = {
        item["id"] for number in "12" for item in documents.search(db, {"page": number})[0].items
    }
    assert len(ids) == 60


def test_a_long_text_is_told_in_part(add, db):
    add("long", text="ü" * 5000)
    (item,) = documents.search(db, {})[0].items
    assert item["text"] == "ü" * documents.LONGEST_EXCERPT


NO_FILTERS = [
    {"type": "invoices"},
    {"owner": "ann"},
    {"from": "yesterday"},
    {"to": "9999-12-31"},
    {"q": "a\0b"},
    {"q": {"$ne": 1}},
    {"q": "x" * 201},
    {"page": "0"},
    {"page": "1000000"},
    {"colour": "red"},
]


def test_what_is_no_filter_is_refused(db):
    for values in NO_FILTERS:
        with pytest.raises(BadInput):
            documents.search(db, values)


def test_how_many_there_are_of_each_type(add, db):
    for type in ("goals", "goals", "leads"):
        add("x", type=type)
    assert documents.counts_by_type(db) == {"goals": 2, "journal_entries": 0, "leads": 1}


def test_a_sync_is_found_at_once(api, counts, new_entries):
    new_entries(2)
    counts()
    data = api.get("/sync?q=budget").json["data"]
    assert (data["total"], data["counts"]["journal_entries"]) == (2, 2)
    assert data["items"][0]["ownerName"] == "Ann"
