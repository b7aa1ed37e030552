"""Adding, editing and deleting a lead in the browser."""

from __future__ import annotations

import pytest
from bson import ObjectId

from crmapp.accounts import users
from crmapp.accounts.users import Role
from crmapp.clock import now
from crmapp.wire import iso

LEADS = "/crm/leads"
NEW = f"{LEADS}/new"


def as_form(db, lead_id, **fields):
    """The fields of the page's form, as a browser sends them."""
    lead = db.leads.find_one({"_id": lead_id})
    names = ("name", "email", "phone", "company", "source", "notes", "status")
    typed = {name: str(lead.get(name) or "") for name in names}
    typed |= {"tags": ", ".join(lead.get("tags", [])), "agentId": str(lead.get("agentId") or "")}
    return {**typed, "updatedAt": iso(lead["updatedAt"]) if "updatedAt" in lead else "", **fields}


def test_a_lead_is_added_with_every_field(ann, db, admin):
    assert "New lead" in ann.get(NEW).text
    answer = ann.submit(
        NEW,
        name=" Olivia Smith ",
        email=" Olivia@Example.COM ",
        phone="+44 20 7946 0000",
        company="Acme",
        source="fair",
        notes="One\r\ntwo",
        tags="vip, Berlin,, VIP",
        agentId=admin.id,
        status="contacted",
    )
    assert answer.status_code == 302, answer.text
    (lead,) = db.leads.find()
    assert answer.location == f"{LEADS}/{lead['_id']}"
    assert (lead["name"], lead["email"]) == ("Olivia Smith", "olivia@example.com")
    assert (lead["notes"], lead["tags"]) == ("One\ntwo", ["vip", "Berlin"])
    assert (lead["agentId"], lead["status"]) == (admin.key, "contacted")
    assert lead["createdBy"] == admin.who
    assert {"olivia", "smith", "acme", "442079460000"} <= set(lead["words"])
    page = ann.get(answer.location).text
    assert "Olivia Smith is added." in page
    assert f"<span>by {admin.email}</span>" in page


def test_a_lead_is_changed_and_found_by_its_new_words(ann, db, new_lead):
    lead_id = new_lead()
    path = f"{LEADS}/{lead_id}"
    fields = as_form(db, lead_id, company="Umbrella", tags="cold")
    answer = ann.submit(path, **fields)
    assert (answer.status_code, answer.location) == (302, path)
    lead = db.leads.find_one()
    assert (lead["company"], lead["tags"]) == ("Umbrella", ["cold"])
    assert "umbrella" in lead["words"]
    assert "Olivia Smith is saved." in ann.get(path).text


def test_saving_what_was_not_changed_writes_nothing(ann, db, new_lead):
    """Also where another program wrote what could not be typed, and a browser changes the line ends."""
    odd = {"phone": 12345, "status": "lost", "email": "no address", "name": "x" * 300}
    lead_id = new_lead(**odd, notes="One\ntwo\n", company=" Acme\nLtd")
    before = db.leads.find_one()
    path = f"{LEADS}/{lead_id}"
    fields = as_form(db, lead_id, notes="One\r\ntwo\r\n", company=" AcmeLtd")
    assert ann.submit(path, **fields).status_code == 302
    assert "Nothing was changed." in ann.get(path).text
    assert db.leads.find_one() == before
    assert db.events.count_documents({}) == 0
    assert ann.submit(path, **{**fields, "source": "fair"}).status_code == 302
    after = db.leads.find_one()
    assert {name: after[name] for name in odd} == odd
    assert after["source"] == "fair"


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"name": "", "email": ""}, "name", "A lead needs a name or an e-mail address."),
        ({"name": "x" * 201}, "name", "Name is longer than 200 characters."),
        ({"email": "olivia"}, "email", "This is no e-mail address."),
        ({"email": "BOB@example.com"}, "email", "Another lead has this address: Bob &lt;b&gt;."),
        ({"email": "eve@example.com"}, "email", "The user Eve, who was another lead, has this"),
        ({"phone": "1" * 201}, "phone", "Phone is longer than 200 characters."),
        ({"notes": "x" * 10_001}, "notes", "Notes is longer than 10000 characters."),
        ({"tags": "x" * 41}, "tags", "is longer than 40 characters."),
        ({"tags": ",".join(map(str, range(21)))}, "tags", "A lead can have 20 tags at most."),
        ({"agentId": str(ObjectId())}, "agentId", "This person does not work here any more."),
        ({"agentId": "nobody"}, "agentId", "This person does not work here any more."),
        ({"status": "active"}, "status", "Status must be one of new, contacted, qualified."),
    ],
)
def test_each_fault_stands_at_its_field_and_what_was_typed_is_kept(
    ann, db, new_lead, fields, field, words
):
    lead_id = new_lead()
    new_lead(name="Bob <b>", email="bob@example.com")
    eve = users.new_user("eve@example.com", "Eve", Role.USER, leadId=ObjectId())
    db.users.insert_one(eve)
    before = list(db.leads.find())
    typed = as_form(db, lead_id, **{"source": "<i>typed</i>", **fields})
    for path, sent in ((f"{LEADS}/{lead_id}", typed), (NEW, {**typed, "email": "", **fields})):
        answer = ann.submit(path, **sent)
        assert answer.status_code == 422, path
        assert f'<p class="field-error" id="{field}-error">' in answer.text
        assert words in answer.text
        assert answer.text.count('aria-invalid="true"') == 1
        assert 'value="&lt;i&gt;typed&lt;/i&gt;"' in answer.text
    assert list(db.leads.find()) == before


def test_two_who_edit_at_once(ann, db, new_lead):
    """The second one is shown what the first one has saved, field by field, before it is replaced."""
    lead_id = new_lead()
    path = f"{LEADS}/{lead_id}"
    mine = as_form(db, lead_id, notes="Mine <b>", phone="2")
    theirs = as_form(db, lead_id, company="Theirs & Co", phone="3")
    assert ann.submit(path, **theirs).status_code == 302
    saved = db.leads.find_one()
    answer = ann.submit(path, **mine)
    assert answer.status_code == 409
    assert db.leads.find_one() == saved
    assert "Somebody else has changed this lead meanwhile" in answer.text
    assert "Mine &lt;b&gt;</textarea>" in answer.text
    told = answer.text.replace("\n", " ").split('class="saved-meanwhile"')[1:]
    assert [text for part in told for text in ("<q>3</q>", "Theirs &amp; Co") if text in part]
    assert len(told) == 3  # company, phone and notes, which is empty
    again = {**mine, "updatedAt": iso(saved["updatedAt"])}
    assert f'value="{again["updatedAt"]}"' in answer.text
    assert ann.submit(path, **again).status_code == 302
    assert db.leads.find_one()["notes"] == "Mine <b>"


def test_two_who_edit_a_lead_that_nobody_had_changed_yet(ann, db, new_lead):
    lead_id = new_lead(updatedAt=None)
    path = f"{LEADS}/{lead_id}"
    mine, theirs = as_form(db, lead_id, phone="2"), as_form(db, lead_id, phone="3")
    assert ann.submit(path, **theirs).status_code == 302
    assert ann.submit(path, **mine).status_code == 409
    assert db.leads.find_one()["phone"] == "3"


@pytest.mark.parametrize("status", ["activating", "active"])
def test_what_an_activation_holds_keeps_its_address_and_its_state(ann, db, new_lead, status):
    lead_id = new_lead(status=status)
    user = users.new_user("olivia@example.com", "O", Role.USER, user_id=lead_id, leadId=lead_id)
    if status == "active":
        db.users.insert_one(user)
    path = f"{LEADS}/{lead_id}"
    page = ann.get(path).text
    assert "readonly" in page
    assert ("/crm/users/" in page) == (status == "active")
    assert 'id="delete"' not in page
    fields = as_form(db, lead_id)
    del fields["status"]
    for field, value in (("email", "other@example.com"), ("status", "new")):
        answer = ann.submit(path, **{**fields, field: value})
        assert answer.status_code == 422
        assert f'id="{field}-error"' in answer.text
    assert ann.submit(f"{path}/delete", page=path).status_code == 409
    assert ann.submit(path, **{**fields, "phone": "7"}).status_code == 302
    lead = db.leads.find_one()
    assert (lead["email"], lead["status"]) == ("olivia@example.com", status)
    assert lead["phone"] == "7"


def test_a_lead_is_deleted_with_its_journal(ann, db, new_lead, admin):
    lead_id, other = new_lead(), new_lead(email="other@example.com")
    times = {"kind": "note", "at": now()}
    db.journal_entries.insert_many([{"leadId": id, **times} for id in (lead_id, lead_id, other)])
    path = f"{LEADS}/{lead_id}"
    assert "2 journal" in ann.get(path).text
    answer = ann.submit(f"{path}/delete", page=path)
    assert (answer.status_code, answer.location) == (302, LEADS)
    assert "Olivia Smith is deleted." in ann.get(LEADS).text
    assert [lead["_id"] for lead in db.leads.find()] == [other]
    assert [entry["leadId"] for entry in db.journal_entries.find()] == [other]
    event = db.events.find_one({"type": "lead_deleted"})
    assert (event["leadId"], event["by"]) == (lead_id, admin.who)
    assert event["lead"] == {"name": "Olivia Smith", "email": "olivia@example.com"}
    assert ann.get(path).status_code == 404


def test_an_agent_who_has_left_stays_until_another_one_is_chosen(ann, db, new_lead, admin):
    lead_id = new_lead(agentId=ObjectId())
    path = f"{LEADS}/{lead_id}"
    assert "Somebody who has left" in ann.get(path).text
    gone = db.leads.find_one()["agentId"]
    assert ann.submit(path, **as_form(db, lead_id, phone="2")).status_code == 302
    assert db.leads.find_one()["agentId"] == gone
    assert ann.submit(path, **as_form(db, lead_id, agentId=admin.id)).status_code == 302
    assert db.leads.find_one()["agentId"] == admin.key
