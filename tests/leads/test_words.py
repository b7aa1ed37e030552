"""The words by which a lead is found."""

from __future__ import annotations

import pytest

from crmapp.leads import words

ANN = {
    "name": "Änne-Marie O'Brien",
    "email": "ann.lee@mail.acme-tools.example",
    "phone": "+49 (0)30 / 1234 56",
    "company": "Łódź Optics (EU)",
}


@pytest.mark.parametrize(
    "q",
    [
        *("anne", "ÄNNE", "marie", "o'brien", "brien", "anne-m"),
        *("ann.lee@", "ann.lee@mail.acme-tools.example", "lee", "acme", "@mail.acme", "tools"),
        *("4903", "+49 (0)30 1234", "30 123456", "030123456", "1234 56", "56"),
        *("lodz", "optics", "(eu", "eu"),
        *("optics anne", "anne, optics", "brien 1234"),
    ],
)
def test_it_is_found_by(q):
    kept = words.of(ANN)
    assert all(any(word.startswith(asked) for word in kept) for asked in words.asked(q))


@pytest.mark.parametrize("q", ["rien", "nn.lee", "234", "ools", "anne zzz", "optic's"])
def test_it_is_not_found_by(q):
    kept = words.of(ANN)
    assert not all(any(word.startswith(asked) for word in kept) for asked in words.asked(q))


@pytest.mark.parametrize(
    "lead", [{}, {"name": None, "email": 7, "phone": ["x"], "company": {"a": 1}}, {"name": ""}]
)
def test_what_is_no_text_has_no_words(lead):
    assert words.of(lead) == []


def test_a_long_name_has_not_too_many():
    assert len(words.of({"name": " ".join(f"w{n}-x{n}" for n in range(500))})) <= words.MOST_WORDS


def test_leads_of_other_programs_get_theirs(db, new_leads, api):
    new_leads(words.ADDED_AT_ONCE + 1, company="Kestrel")
    db.leads.update_many({}, {"$unset": {"words": 1}})
    odd = db.leads.insert_one({"name": 5, "status": "new"}).inserted_id
    found = "/crm/leads?q=kestr"
    assert api.get(found).json["data"]["total"] == 501
    while words.add_missing(db):
        pass
    assert not db.leads.find_one({"words": None})
    assert db.leads.find_one({"_id": odd})["words"] == []
    assert api.get(found).json["data"]["total"] == 501
