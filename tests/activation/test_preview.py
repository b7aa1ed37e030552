"""The preview says what the activation then does, by reason."""

from collections import Counter

import pytest
from bson import ObjectId

from crmapp.accounts.users import Role, new_user
from tests.support.work import run_jobs

PREVIEW = "/crm/leads/activate/preview"


@pytest.fixture
def lead_of_each_kind(db, new_leads, new_person, api):
    """Leads that become users, and for each reason some that do not; all of one source."""
    new_person("taken@example.com")

    def new(count=1, **fields):
        return new_leads(count, source="fair", **fields)

    ids = [*new(3), *new(1, status="qualified"), *new(1, status="failed")]
    ids += new(2, email=" Taken@Example.com ")
    ids += new(1, status="active")
    # Somebody gave an activated lead another status and address.
    again = new(1, email="new-address@example.com")
    db.users.insert_one(new_user("old-address@example.com", "Lea", Role.USER, user_id=again[0]))
    ids += again
    held = new(3)
    api.activate(leadIds=[str(lead) for lead in held])
    ids += held
    ids += [*new(1, email="no address"), *new(1, email=""), *new(1, email=None), *new(1, email=5)]
    # Far apart, so that they come in different chunks.
    ids += [*new(1, email="double@example.com"), *new(60), *new(2, email="Double@Example.com")]
    return [str(lead) for lead in ids]


EXPECTED = {
    "toActivate": 66,
    "skipped": {
        "already_a_user": 2,
        "already_active": 2,
        "held_by_another_session": 3,
        "duplicate_in_selection": 2,
    },
    "failed": {"invalid_email": 4},
}


def outcome(db, session_id):
    """What the activation did, in the form of a preview."""
    rows = list(db.job_errors.find({"jobId": session_id}))
    return {
        "total": db.jobs.find_one({"_id": session_id})["counts"]["total"],
        "toActivate": db.users.count_documents({"activationId": session_id}),
        "skipped": Counter(row["reason"] for row in rows if row["state"] == "skipped"),
        "failed": Counter(row["reason"] for row in rows if row["state"] == "failed"),
    }


def previewed(api, body):
    """What is shown, without the id of the set."""
    shown = api.post(PREVIEW, body).json["data"]
    assert shown.pop("selectionId")
    return shown


def test_by_filter(site, db, api, lead_of_each_kind):
    filter = {"filter": {"source": "fair"}}
    shown = previewed(api, filter)
    assert shown == {"total": 79, **EXPECTED}
    session_id = api.activate(**filter)
    run_jobs(site)
    assert outcome(db, session_id) == shown


def test_by_ids(site, db, api, lead_of_each_kind):
    twice = lead_of_each_kind[:2]
    gone = [str(ObjectId()) for _ in range(3)]
    ids = {"leadIds": [*lead_of_each_kind, *twice, *gone]}
    shown = previewed(api, ids)
    expected = {**EXPECTED, "skipped": {**EXPECTED["skipped"], "not_found": 3}}
    assert shown == {"total": 82, **expected}
    session_id = api.activate(**ids)
    run_jobs(site)
    assert outcome(db, session_id) == shown


def test_it_changes_nothing(db, api, lead_of_each_kind):
    def everything():
        """But the sets of leads that a preview keeps for a while."""
        names = set(db.list_collection_names()) - {"selections", "selection_parts"}
        return {name: list(db[name].find()) for name in names}

    before = everything()
    api.post(PREVIEW, {"filter": {}})
    api.post(PREVIEW, {"leadIds": lead_of_each_kind})
    assert everything() == before


def test_what_was_previewed_is_what_is_activated(site, db, api, new_leads):
    """Whatever came to match, ceased to match or was taken since."""
    meant = new_leads(1200, source="fair")
    seen = api.post(PREVIEW, {"filter": {"source": "fair"}}).json["data"]
    late = new_leads(5, source="fair")
    db.leads.update_many({"_id": {"$in": meant[:3]}}, {"$set": {"source": "web"}})
    db.leads.delete_many({"_id": {"$in": meant[3:5]}})
    api.activate(leadIds=[str(lead_id) for lead_id in meant[5:8]])
    run_jobs(site)
    session_id = api.activate(selectionId=seen["selectionId"])
    run_jobs(site)
    reached = outcome(db, session_id)
    assert (seen["total"], reached["total"], reached["toActivate"]) == (1200, 1200, 1195)
    assert reached["skipped"] == {"not_found": 2, "already_active": 3}
    assert db.leads.count_documents({"_id": {"$in": late}, "status": "new"}) == 5
    assert db.leads.count_documents({"_id": {"$in": meant[:3]}, "status": "active"}) == 3
    assert not db.selection_parts.find_one({"selectionId": seen["selectionId"]})


def test_the_filter_means_what_the_leads_page_shows(api, new_leads):
    new_leads(3, source="web", status="contacted")
    new_leads(2, source="fair", status="contacted", company="Smith & Sons")
    new_leads(1, source="fair", status="qualified")
    filters = [
        ({}, 6),
        ({"status": "contacted"}, 5),
        ({"source": "fair"}, 3),
        ({"source": "fair", "status": "contacted"}, 2),
        ({"q": "smith & s"}, 2),
        ({"q": "LEAD3@"}, 1),
        ({"from": "2020-01-01"}, 6),
    ]
    for filter, count in filters:
        assert api.post(PREVIEW, {"filter": filter}).json["data"]["total"] == count, filter
        query = "&".join(f"{name}={value.replace('&', '%26')}" for name, value in filter.items())
        assert api.get(f"/crm/leads?{query}").json["data"]["total"] == count, filter
