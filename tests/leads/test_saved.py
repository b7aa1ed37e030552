"""Filters that a person keeps under a name."""

from __future__ import annotations

import pytest
from bson import ObjectId

from crmapp.leads import saved

FILTERS = "/crm/leads/filters"


def save(api, name, **query):
    return api.post(FILTERS, {"name": name, "query": query})


def names(api):
    return [one["name"] for one in api.get(FILTERS).json["data"]["items"]]


def test_it_is_kept_with_its_order_and_opened_again(api, ann):
    answer = save(api, " Fair,  by name ", source="fair", sort="-name", pageSize="100")
    assert answer.status_code == 201
    kept = answer.json["data"]
    assert kept["name"] == "Fair, by name"
    assert kept["url"] == "/crm/leads?source=fair&sort=-name&pageSize=100"
    assert kept["url"].replace("&", "&amp;") in ann.get("/crm/leads").text


def test_the_same_name_takes_its_place(api):
    save(api, "Mine", source="fair")
    save(api, "Mine", source="web")
    (one,) = api.get(FILTERS).json["data"]["items"]
    assert one["query"] == {"source": "web"}


def test_everybody_has_their_own(api, new_api, new_person):
    kept = save(api, "Mine", source="fair").json["data"]
    bob = new_api(new_person("bob@example.com"))
    assert names(bob) == []
    assert bob.client.delete(f"{FILTERS}/{kept['id']}", headers=bob.headers).status_code == 404
    assert names(api) == ["Mine"]
    assert api.client.delete(f"{FILTERS}/{kept['id']}", headers=api.headers).status_code == 200
    assert names(api) == []


@pytest.mark.parametrize(
    ("body", "msg"),
    [
        ({"name": " ", "query": {}}, "Give the filter a name"),
        ({"name": "x" * 61, "query": {}}, "name is longer than 60"),
        ({"name": {"$ne": None}, "query": {}}, "name must be text"),
        ({"name": "x"}, "query must be an object"),
        ({"name": "x", "query": {"$where": "1"}}, "There is no filter '$where'"),
        ({"name": "x", "query": {"sort": "age"}}, "sort must be one of"),
        ({"name": "x", "query": {"pageSize": "9999"}}, "pageSize must be"),
        ({"name": "x", "query": {"from": "soon"}}, "from must be a day"),
    ],
)
def test_what_cannot_be_kept(api, body, msg):
    answer = api.post(FILTERS, body)
    assert (answer.status_code, msg in answer.json["msg"]) == (400, True), answer.json
    assert names(api) == []


def test_there_are_not_too_many(api, monkeypatch):
    monkeypatch.setattr(saved, "MOST", 2)
    save(api, "a")
    save(api, "b")
    assert save(api, "c").status_code == 409
    assert save(api, "b", source="fair").status_code == 201


def test_an_id_that_is_none(api):
    for wrong in (ObjectId(), "x"):
        gone = api.client.delete(f"{FILTERS}/{wrong}", headers=api.headers)
        assert gone.status_code == 404
