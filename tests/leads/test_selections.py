"""Sets of leads that are frozen before anything is confirmed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from crmapp.clock import now
from crmapp.leads import selections
from crmapp.leads.selections import PART
from crmapp.requests import BadInput

SELECTIONS = "/crm/leads/selections"


def ids_in(db, selection_id):
    return [lead_id for part in selections.ids_of(db, selection_id) for lead_id in part]


def test_a_filter_is_frozen_and_counted(api, db, new_leads):
    meant = new_leads(2 * PART + 1, source="fair")
    new_leads(3)
    answer = api.post(SELECTIONS, {"filter": {"source": "fair"}})
    assert answer.status_code == 201
    frozen = answer.json["data"]
    assert frozen["total"] == 2 * PART + 1
    new_leads(5, source="fair")
    assert sorted(ids_in(db, frozen["selectionId"])) == sorted(meant)
    sizes = [len(selections.part(db, frozen["selectionId"], n)) for n in range(3)]
    assert sizes == [PART, PART, 1]
    assert selections.part(db, frozen["selectionId"], 3) is None


def test_ids_keep_their_order_and_those_that_are_gone(api, db, new_leads):
    ids = new_leads(3)
    db.leads.delete_one({"_id": ids[1]})
    frozen = api.post(SELECTIONS, {"leadIds": [str(i) for i in ids[::-1]]}).json["data"]
    assert frozen["total"] == 3
    assert ids_in(db, frozen["selectionId"]) == ids[::-1]


def test_it_expires_unless_a_job_keeps_it(db, admin, new_leads):
    new_leads(1)
    kept, unused = (selections.freeze(db, admin, {"filter": {}}) for _ in range(2))
    selections.keep(db, kept["_id"])
    expiring = {"expireAt": {"$lt": now() + timedelta(hours=2)}}
    for collection, key in ((db.selections, "_id"), (db.selection_parts, "selectionId")):
        assert [found[key] for found in collection.find(expiring)] == [unused["_id"]]
    selections.drop(db, kept["_id"], "a job")
    assert selections.part(db, kept["_id"], 0) is None


def test_it_is_its_owners(db, admin, new_person, new_leads):
    new_leads(1)
    bob = new_person("bob@example.com", "admin")
    mine = selections.freeze(db, admin, {"filter": {}})
    assert selections.freeze(db, admin, {"selectionId": mine["_id"]})["total"] == 1
    for user, selection_id in ((bob, mine["_id"]), (admin, "selection_x"), (admin, "")):
        with pytest.raises(BadInput) as refused:
            selections.freeze(db, user, {"selectionId": selection_id})
        assert refused.value.status == 410


@pytest.mark.parametrize(
    ("body", "status", "msg"),
    [
        ({"filter": {"source": "nowhere"}}, 422, "No lead matches this filter"),
        ({"leadIds": ["a" * 24]}, 422, "None of the selected leads exists any more"),
        ({"selectionId": {"$ne": None}}, 400, "selectionId must be text"),
        ({"selectionId": "x", "filter": {}}, 400, "Send one of leadIds"),
    ],
)
def test_nothing_is_frozen(api, db, new_leads, body, status, msg):
    new_leads(1)
    answer = api.post(SELECTIONS, body)
    assert (answer.status_code, msg in answer.json["msg"]) == (status, True)
    assert not db.selection_parts.find_one()
