"""Choosing a lead by typing."""

from urllib.parse import urlencode

import pytest

LEADS = "/crm/journal/leads"


@pytest.fixture
def offered(api):
    def ask(q):
        answer = api.get(f"{LEADS}?{urlencode({'q': q})}")
        return [lead["label"] for lead in answer.json["data"]["items"]]

    return ask


def test_the_beginning_of_a_name_or_an_address_offers_leads(offered, new_leads):
    new_leads(1, name="Olivia Smith", email="os@example.com")
    new_leads(1, name="Harry O'Brien-Ward", email="harry@example.com")
    new_leads(1, name="", email="smithers@example.com")
    new_leads(1, name="Without Mail", email=None)
    olivia, harry = "Olivia Smith <os@example.com>", "Harry O'Brien-Ward <harry@example.com>"
    assert offered("oliv") == [olivia]
    assert offered("SMITH") == ["smithers@example.com", olivia]
    assert offered("ward") == [harry]
    assert offered("harry@") == [harry]
    assert offered("without") == ["Without Mail"]
    assert offered("livia") == []
    assert offered(".*") == []
    assert offered("") == []


def test_no_more_than_ten_are_offered(offered, new_leads):
    new_leads(12)
    assert len(offered("lead")) == 10


def test_a_search_is_text(api):
    answer = api.get(f"{LEADS}?q=%00")
    assert answer.status_code == 400
    assert "q holds a character" in answer.json["msg"]
