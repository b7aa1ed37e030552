"""A lead's JSON."""

from __future__ import annotations

import threading

import pytest
from bson import ObjectId

from crmapp.lead_card import editing
from crmapp.wire import iso

LEADS = "/crm/leads"


def test_a_lead_is_added_read_changed_and_deleted(api, send, db, admin):
    body = {"name": "Ann", "email": "Ann@X.com", "tags": ["a", "b"], "agentId": admin.id}
    answer = api.post(LEADS, body)
    assert answer.status_code == 201, answer.text
    lead = answer.json["data"]
    assert (lead["email"], lead["tags"], lead["status"]) == ("ann@x.com", ["a", "b"], "new")
    page = api.get(f"{LEADS}/{lead['_id']}").json["data"]
    assert page["lead"] == lead
    assert [(entry["type"], entry["by"]) for entry in page["timeline"]] == [("added", admin.email)]
    assert (page["user"], page["journal"]["total"], page["more"]) == (None, 0, False)
    changed = send("PATCH", lead["_id"], {"phone": "2"}).json["data"]
    assert changed == {**lead, "phone": "2", "updatedAt": changed["updatedAt"]}
    assert send("PATCH", lead["_id"], {"agentId": None, "tags": []}).status_code == 200
    stored = db.leads.find_one()
    assert (stored["agentId"], stored["tags"]) == (None, [])
    assert send("DELETE", lead["_id"]).status_code == 200
    assert send("DELETE", lead["_id"]).status_code == 404
    assert db.leads.count_documents({}) == 0


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"name": 5}, 422, "Name must be text."),
        ({"email": {"$ne": None}}, 422, "Email must be text."),
        ({"tags": [{"$gt": ""}]}, 422, "Tags must be text."),
        ({"tags": 5}, 422, "Tags must be text."),
        ({"tags": ["a;b"]}, 422, "holds a comma or a semicolon"),
        ({"notes": "\0"}, 422, "Notes holds a character"),
        ({"status": ["new"]}, 422, "Status must be text."),
        ({"words": ["x"]}, 400, "There is no field 'words'"),
        ({"name": "", "email": ""}, 422, "A lead needs a name or an e-mail address."),
    ],
)
def test_what_cannot_be_a_lead(api, db, send, new_lead, body, status, words):
    lead_id = new_lead()
    before = db.leads.find_one()
    for answer in (api.post(LEADS, {"name": "Ann", **body}), send("PATCH", lead_id, body)):
        assert (answer.status_code, answer.json["success"]) == (status, False)
        assert words in answer.json["msg"]
    assert list(db.leads.find()) == [before]


def test_a_program_may_ask_that_nobody_has_changed_it_meanwhile(send, db, new_lead):
    lead_id = new_lead()
    seen = iso(db.leads.find_one()["updatedAt"])
    assert send("PATCH", lead_id, {"phone": "2", "updatedAt": seen}).status_code == 200
    answer = send("PATCH", lead_id, {"phone": "3", "updatedAt": seen})
    assert answer.status_code == 409
    assert "Somebody else has changed this" in answer.json["msg"]
    assert db.leads.find_one()["phone"] == "2"
    assert send("PATCH", lead_id, {"phone": "3"}).status_code == 200
    assert send("PATCH", lead_id, {"phone": "4", "updatedAt": "soon"}).status_code == 400


def test_who_changes_at_the_same_moment_is_told_of_in_turn(db, new_lead, admin):
    """Each event says what was there just before, so that nothing that was ever saved is lost."""
    lead_id = new_lead()

    def edit(number):
        for place in range(5):
            editing.change(db, lead_id, {"phone": f"{number}-{place}"}, admin)

    editors = [threading.Thread(target=edit, args=[number]) for number in range(3)]
    for editor in editors:
        editor.start()
    for editor in editors:
        editor.join()
    pairs = [tuple(event["changes"]["phone"]) for event in db.events.find({"leadId": lead_id})]
    after = dict(pairs)
    assert len(after) == 15
    phones, phone = [], "1"
    while phone in after:
        phone = after[phone]
        phones.append(phone)
    assert len(phones) == 15
    assert db.leads.find_one()["phone"] == phone


def test_a_lead_that_is_not_there(api, ann, send):
    for lead_id in (ObjectId(), "nonsense", "x" * 24):
        assert api.get(f"{LEADS}/{lead_id}").status_code == 404
        assert ann.get(f"{LEADS}/{lead_id}").status_code == 404
        assert send("PATCH", lead_id, {"name": "x"}).status_code == 404


def test_the_body_must_be_json(api):
    assert api.post(LEADS, data="x", content_type="text/plain").status_code == 415
    assert api.post(LEADS, []).status_code == 400
