"""The journal's JSON."""

import pytest
from bson import ObjectId

from crmapp.journal import entries
from crmapp.wire import iso

JOURNAL = "/crm/journal"


@pytest.fixture
def send(api):
    """Send a method with a JSON body to an entry."""

    def call(method, entry_id, body=None):
        path = f"{JOURNAL}/{entry_id}"
        return api.client.open(path, method=method, json=body, headers=api.headers)

    return call


def test_an_entry_is_added_read_changed_and_deleted(api, send, db, new_leads, admin):
    (lead,) = new_leads(1, name="Olivia Smith", email="olivia@example.com")
    body = {"leadId": str(lead), "kind": "call", "text": "Hello", "at": "2026-01-31T15:30+01:00"}
    answer = api.post(JOURNAL, body)
    assert answer.status_code == 201, answer.text
    entry = answer.json["data"]
    assert entry["at"] == "2026-01-31T14:30:00.000Z"
    assert entry["lead"] == {"name": "Olivia Smith", "email": "olivia@example.com"}
    assert (entry["authorId"], entry["authorName"]) == (admin.id, admin.name)
    assert api.get(f"{JOURNAL}/{entry['id']}").json["data"] == entry
    assert api.get(JOURNAL).json["data"]["items"] == [entry]

    changed = send("PATCH", entry["id"], {"text": "Good-bye"}).json["data"]
    assert changed["updatedAt"] >= entry["updatedAt"]
    assert changed == {**entry, "text": "Good-bye", "updatedAt": changed["updatedAt"]}

    assert send("DELETE", entry["id"]).status_code == 200
    assert api.get(f"{JOURNAL}/{entry['id']}").status_code == 404
    assert send("DELETE", entry["id"]).status_code == 404
    assert db.journal_entries.count_documents({}) == 0


@pytest.mark.parametrize(
    ("more", "status", "words"),
    [
        ({"leadId": {"$ne": None}}, 422, "LeadId must be text."),
        ({"text": {"$gt": ""}}, 422, "Text must be text."),
        ({"text": 5}, 422, "Text must be text."),
        ({"text": "\0"}, 422, "Text holds a character"),
        ({"kind": ["call"], "text": ""}, 422, "Kind must be text. Write what happened."),
        ({"at": 5}, 422, "At must be a date and a time"),
        ({"authorId": "x"}, 400, "There is no field 'authorId'"),
    ],
)
def test_what_cannot_be_an_entry(api, db, send, new_leads, new_entry, more, status, words):
    (lead,) = new_leads(1)
    answer = api.post(JOURNAL, {"leadId": str(lead), "kind": "call", "text": "Hello", **more})
    assert (answer.status_code, answer.json["success"]) == (status, False)
    assert words in answer.json["msg"]
    assert db.journal_entries.count_documents({}) == 0
    entry = new_entry(leadId=lead)
    assert send("PATCH", entry["_id"], more).status_code == status
    assert db.journal_entries.find_one() == entry


def test_a_program_may_ask_that_nobody_has_changed_it_meanwhile(send, db, new_leads, new_entry):
    (lead,) = new_leads(1)
    entry = new_entry(leadId=lead, ago=5)
    seen = iso(entry["updatedAt"])
    assert send("PATCH", entry["_id"], {"text": "First", "updatedAt": seen}).status_code == 200
    answer = send("PATCH", entry["_id"], {"text": "Second", "updatedAt": seen})
    assert answer.status_code == 409
    assert "Somebody else has changed this" in answer.json["msg"]
    assert db.journal_entries.find_one()["text"] == "First"
    assert send("PATCH", entry["_id"], {"text": "Third"}).status_code == 200


def test_an_entry_that_is_not_there(api, send):
    for entry_id in (ObjectId(), "nonsense"):
        assert api.get(f"{JOURNAL}/{entry_id}").status_code == 404
        assert send("PATCH", entry_id, {"text": "x"}).status_code == 404


def test_the_body_must_be_json(api):
    assert api.post(JOURNAL, data="x", content_type="text/plain").status_code == 415
    assert api.post(JOURNAL, []).status_code == 400


def test_two_who_change_different_fields_at_once_both_keep_their_change(db, admin, new_entry):
    entry = entries.find(db, admin, str(new_entry()["_id"]))
    entries.change(db, admin, entry, {"text": "the one"})
    entries.change(db, admin, entry, {"kind": "meeting"})
    stored = db.journal_entries.find_one()
    assert (stored["text"], stored["kind"]) == ("the one", "meeting")
