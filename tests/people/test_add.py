"""Adding a person, who is invited by mail."""

import pytest

from crmapp.accounts.users import Role
from crmapp.invitations import letter

GUS = {"name": "Gus Frank", "email": " Gus@Example.com ", "role": "agent"}


def test_they_are_added_and_invited(app, db, sue, office):
    answer = sue.post("/crm/users", GUS)
    assert answer.status_code == 201
    assert "gus@example.com" in answer.json["data"]["msg"]
    gus = db.users.find_one({"email": "gus@example.com"})
    assert (gus["name"], gus["role"], gus["status"]) == ("Gus Frank", "agent", "invited")
    assert gus["invitedBy"] == office.sue.key
    (mail,) = db.pending_emails.find()
    ((_, composed),) = letter.compose(db, [mail])
    assert composed.recipient == "gus@example.com"
    assert "/invitation/" in composed.text


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (GUS | {"email": "GIL@example.com"}, 409, "Another user has the address gil@example.com"),
        (GUS | {"email": "nonsense"}, 422, "@"),
        (GUS | {"email": ""}, 422, "enter an e-mail address"),
        (GUS | {"name": ""}, 422, "enter a name"),
        (GUS | {"role": "boss"}, 422, "must be one of"),
        (GUS | {"status": "active"}, 400, "There is no field"),
        ({"name": "", "email": "", "role": "agent"}, 422, "name. Please enter an e-mail"),
    ],
)
def test_who_cannot_be_added(db, sue, body, status, words):
    count = db.users.count_documents({})
    answer = sue.post("/crm/users", body)
    assert (answer.status_code, words in answer.json["msg"]) == (status, True), answer.text
    assert db.users.count_documents({}) == count
    assert db.pending_emails.count_documents({}) == 0


@pytest.mark.parametrize("role", Role)
def test_nobody_makes_somebody_above_themselves(db, ann_api, role):
    answer = ann_api.post("/crm/users", GUS | {"role": role})
    allowed = role in (Role.AGENT, Role.USER)
    assert answer.status_code == (201 if allowed else 403)
    assert db.users.count_documents({"email": "gus@example.com"}) == allowed
    assert db.pending_emails.count_documents({}) == allowed
