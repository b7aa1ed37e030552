"""The list of leads as programs get it: filters, orders, and pages by number and by place."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from bson import ObjectId

from crmapp.leads import listing, sorting
from crmapp.leads.fields import new_lead

LEADS = "/crm/leads"
DAY = datetime(2026, 3, 10, 12, tzinfo=UTC)
AGENT = ObjectId("a" * 24)


@pytest.fixture
def listed(api):
    def ask(**query):
        answer = api.get(f"{LEADS}?{urlencode(query)}")
        assert answer.status_code == 200, answer.text
        return answer.json["data"]

    return ask


@pytest.fixture
def five(db):
    """Five leads by name, each of its own."""
    leads = {
        "Ada": {"status": "new", "source": "web", "tags": ["VIP", "fair"], "agentId": AGENT},
        "Bob": {"status": "contacted", "source": "fair", "company": "Kestrel", "agentId": None},
        "Cem": {"status": "active", "userId": ObjectId(), "activatedAt": DAY, "tags": ["fair"]},
        "Dan": {"status": "failed", "source": "fair", "phone": "030 555"},
        "Eve": {"status": "active", "userId": ObjectId(), "activatedAt": DAY + timedelta(days=9)},
    }
    for number, (name, more) in enumerate(leads.items()):
        values = {"name": name, "email": f"{name.lower()}@example.com", **more}
        db.leads.insert_one(new_lead(ObjectId(), values, DAY + timedelta(days=number)))
    # Another program knows fewer fields.
    db.leads.insert_one({"name": "Fay", "email": "fay@example.com", "status": "new"})


@pytest.mark.parametrize(
    ("filter", "names"),
    [
        ({}, "Ada Bob Cem Dan Eve Fay"),
        ({"status": "active"}, "Cem Eve"),
        ({"source": "fair"}, "Bob Dan"),
        ({"agent": str(AGENT)}, "Ada"),
        ({"agent": "none"}, "Bob Cem Dan Eve Fay"),
        ({"company": "Kestrel"}, "Bob"),
        ({"company": "Kest"}, ""),
        ({"tag": "fair"}, "Ada Cem"),
        ({"from": "2026-03-11", "to": "2026-03-12"}, "Bob Cem"),
        ({"activatedFrom": "2026-03-10", "activatedTo": "2026-03-10"}, "Cem"),
        ({"activatedFrom": "2026-03-11"}, "Eve"),
        ({"account": "yes"}, "Cem Eve"),
        ({"account": "no"}, "Ada Bob Dan Fay"),
        ({"q": "fay@"}, "Fay"),
        ({"q": "kestrel bob"}, "Bob"),
        ({"q": "030 55"}, "Dan"),
        ({"q": "..."}, ""),
        ({"status": "new", "agent": "none"}, "Fay"),
        ({"tag": "fair", "account": "yes", "activatedTo": "2026-03-31", "q": "c"}, "Cem"),
    ],
)
def test_filters_combine(listed, five, filter, names):
    page = listed(**filter)
    assert sorted(lead["name"] for lead in page["items"]) == names.split()
    assert page["total"] == len(names.split())
    assert all("words" not in lead for lead in page["items"])


@pytest.mark.parametrize("sort", [sign + name for name in sorting.ORDERS for sign in ("", "-")])
def test_every_order_leads_through_all_by_place(listed, db, sort):
    """Once forwards, once backwards from the last page; also past leads that lack the field or have the same."""
    for number in range(60):
        fields = {
            "createdAt": DAY + timedelta(days=number % 4),
            **{name: f"{name} {number % 3}" for name in ("name", "email", "company", "source")},
            "status": ("new", "active", "failed")[number % 3],
        }
        kept = {name: value for name, value in fields.items() if number % 5 or name == "status"}
        db.leads.insert_one(kept)
    forwards, page = [], listed(sort=sort, pageSize=25)
    forwards += page["items"]
    while page["next"]:
        page = listed(sort=sort, pageSize=25, after=page["next"])
        forwards += page["items"]
    assert len(forwards) == len({lead["_id"] for lead in forwards}) == 60
    page = listed(sort=sort, pageSize=25, last=1)
    assert page["next"] is None
    backwards = [page["items"]]
    while page["prev"]:
        page = listed(sort=sort, pageSize=25, before=page["prev"])
        backwards.append(page["items"])
    assert [lead for items in backwards[::-1] for lead in items] == forwards
    numbered = [listed(sort=sort, pageSize=25, page=number)["items"] for number in (1, 2, 3)]
    assert [lead for items in numbered for lead in items] == forwards


def test_what_is_added_meanwhile_moves_nothing(listed, new_leads):
    first = new_leads(60)
    seen = listed(pageSize=50)
    new_leads(7)
    rest = listed(pageSize=50, after=seen["next"])
    assert {lead["_id"] for lead in seen["items"] + rest["items"]} == {str(i) for i in first}


def test_a_long_list_is_counted_up_to_a_point(listed, new_leads, monkeypatch):
    monkeypatch.setattr(listing, "COUNTED_UP_TO", 100)
    new_leads(120, source="fair")
    new_leads(100)
    page = listed(source="fair", pageSize=50)
    assert (page["total"], page["capped"], page["pages"]) == (100, True, 2)
    page = listed(source="website")
    assert (page["total"], page["capped"]) == (100, False)
    # Of many that match, those first in order are found by the order's index.
    page = listed(q="lead", sort="name")
    assert page["items"][0]["name"] == "Lead 0"


@pytest.mark.parametrize(
    ("query", "msg"),
    [
        ("sort=age", "sort must be one of createdAt, name"),
        ("sort=-", "sort must be one of"),
        ("page=0", "page must be a whole number from 1"),
        ("page=201", "from 1 to 200"),
        ("pageSize=201", "pageSize must be a whole number from 1 to 200"),
        ("after=x", "address is incomplete"),
        ("after=W10", "address is incomplete"),
        ("after=WzEsMl0", "address is incomplete"),
        ("after=" + "WyJ4" * 900, "after is longer"),
        ("after=x&page=2", "Send only one of page, after"),
        ("account=maybe", "account must be yes or no"),
        ("agent=nobody", "agent must be the id of a user, or none"),
        ("activatedTo=soon", "activatedTo must be a day"),
        ("tag[$ne]=x", "There is no filter 'tag[$ne]'"),
    ],
)
def test_what_cannot_be_asked(api, query, msg):
    answer = api.get(f"{LEADS}?{query}")
    assert (answer.status_code, msg in answer.json["msg"]) == (400, True), answer.json


def test_a_place_in_another_order_is_none_of_this(api, listed, new_leads):
    new_leads(60)
    by_company = listed(sort="company")["next"]
    assert api.get(f"{LEADS}?sort=name&after={by_company}").status_code == 400


def test_companies_are_suggested(api, new_leads):
    for company in ("Kestrel", "Kestrel Foods", "Kite (UK)", "Other"):
        new_leads(2, company=company)
    for q, names in (("Kes", ["Kestrel", "Kestrel Foods"]), ("Kite (", ["Kite (UK)"]), ("", [])):
        answer = api.get(f"{LEADS}/companies?{urlencode({'q': q})}")
        assert answer.json["data"]["items"] == names
