"""A source is one class in one file."""

import sys

import pytest

from crmapp.requests import BadInput
from crmapp.sync import sources

TICKETS = """
from crmapp.sync import fields
from crmapp.sync.source import Content, Source


class Tickets(Source):
    type = "tickets"
    label = "Sync of tickets"
    item = "ticket"
    items = "tickets"
    collection = "tickets"
    fields = ("subject",)

    def content(self, item):
        return Content(fields.needed_text(item, "subject"), "", {}, None, None)
"""


@pytest.fixture
def site(new_site, db):
    """One of this test's own, because it looks for the sources when it is made."""
    return new_site()


@pytest.fixture
def add_source(tmp_path, monkeypatch):
    """Puts a file among the sources, before the application is made."""

    def add(text):
        (tmp_path / "tickets.py").write_text(text)
        monkeypatch.setattr(sources, "__path__", [*sources.__path__, str(tmp_path)])
        monkeypatch.delitem(sys.modules, f"{sources.__name__}.tickets", raising=False)
        sources.every.cache_clear()

    yield add
    monkeypatch.undo()
    sources.every.cache_clear()


def test_three_ship():
    assert list(sources.every()) == ["goals", "journal_entries", "leads"]


def test_a_new_file_is_all_it_takes(add_source, db, request):
    add_source(TICKETS)
    api = request.getfixturevalue("api")
    counts = request.getfixturevalue("counts")
    assert counts("tickets") == {}, "not even the collection is there"
    db.tickets.insert_many([{"subject": "The printer is on fire."}, {"subject": 3}])
    assert counts("tickets") == {"total": 2, "synced": 1, "failed": 1}
    assert db.documents.find_one()["title"] == "The printer is on fire."
    found = api.get("/sync?q=printer&type=tickets").json["data"]
    assert found["total"] == 1
    assert found["counts"]["tickets"] == 1
    jobs = api.get("/api/ml/sync/jobs").json["data"]["items"]
    assert [job["type"] for job in jobs] == ["tickets", "tickets"]


def test_a_change_of_the_code_makes_all_documents_anew(sync, new_entries, monkeypatch):
    new_entries(3)
    sync()
    monkeypatch.setattr(type(sources.of("journal_entries")), "version", 2)
    assert sync()["counts"]["total"] == 3


def test_two_sources_of_one_type_are_refused(add_source):
    add_source(TICKETS.replace('"tickets"', '"leads"'))
    with pytest.raises(TypeError, match="'leads' already"):
        sources.every()


def test_a_type_that_nobody_knows():
    with pytest.raises(BadInput, match="goals, journal_entries, leads"):
        sources.of("invoices")
