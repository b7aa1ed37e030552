"""What a lead's page tells of what has happened."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from bson import Int64, ObjectId

from crmapp.accounts import users
from crmapp.accounts.users import Role
from crmapp.leads import changes
from crmapp.mailqueue import queue
from tests.mailqueue.desk import SESSION

LEADS = "/crm/leads"
START = datetime(2026, 1, 1, tzinfo=UTC)
SCRIPT = "<script>alert(1)</script>"


def at(minute):
    return START + timedelta(minutes=minute)


def new_job(id, person, type="activation", **fields):
    return {"_id": id, "type": type, "userId": person.key, "userName": person.name, **fields}


def told(page):
    """What each entry of the page's timeline says."""
    list = re.search(r'<ol class="timeline">(.*?)</ol>', page, re.DOTALL)[1]
    entries = re.findall(r"<li.*?</li>", list, re.DOTALL)
    return [" ".join(unescape(re.sub("<[^>]+>", " ", entry)).split()) for entry in entries]


def change(db, lead_id, minute, by, how, job_id=None, **fields):
    event = changes.event(lead_id, by.who, how, fields, job_id)
    db.events.insert_one({**event, "at": at(minute)})


@pytest.fixture
def olivia(db, new_lead, admin, new_person):
    """A lead to whom everything has happened, minute by minute."""
    bea = new_person("bea@example.com", Role.AGENT)
    times = {"createdAt": at(0), "activatedAt": at(5), "updatedAt": at(3)}
    belongs = {"importId": "lead_import_1", "activationId": SESSION, "agentId": bea.key}
    lead_id = new_lead(status="active", createdBy=admin.who, **times, **belongs)
    user = users.new_user("olivia@example.com", "O", Role.USER, user_id=lead_id, leadId=lead_id)
    user |= {"invitedBy": admin.key, "activationId": SESSION, "firstSignInAt": at(8)}
    db.users.insert_one(user)
    db.imports.insert_one({"_id": "lead_import_1", "file": "fair.csv", "userId": admin.key})
    db.jobs.insert_many([new_job(SESSION, admin), new_job("lead_assign_000002", bea, "x")])
    change(db, lead_id, 1, admin, "assign", "lead_assign_000002", agentId=[None, bea.key])
    change(db, lead_id, 2, bea, "tag", "gone_000003", tags=[[], ["vip", "b"]])
    change(db, lead_id, 3, bea, "edit", phone=["1", "2"], notes=[SCRIPT, ""])
    mail = queue.new_mail("invitation", lead_id, user["email"], SESSION, "x.com", at(5))
    for minute, type, reply in ((6, "deferred", "451 Later"), (7, "sent", f"250 {SCRIPT}")):
        event = queue.event(mail, queue.MailEvent(type), reply)
        db.events.insert_one({**event, "at": at(minute)})
    return lead_id


def test_everything_is_told_newest_first(ann, olivia):
    page = ann.get(f"{LEADS}/{olivia}").text
    assert [re.sub(r" 01 Jan 2026, 00:(\d\d):00 UTC", r" [\1]", entry) for entry in told(page)] == [
        "Signed in for the first time [08]",
        f"E-mail: sent try 1 olivia@example.com [07] 250 {SCRIPT}",
        "E-mail: put off try 1 olivia@example.com [06] 451 Later",
        "Activated by Ann Activation 0_abcd [05]",
        f"Changed by bea@example.com [03] Phone 1 → 2 Notes {SCRIPT} → empty",
        "Tags changed by bea@example.com Job 000003 [02] Tags empty → vip, b",
        "Assigned by ann@example.com x 000002 [01] Agent empty → Bea",
        "Imported by ann@example.com from fair.csv [00]",
    ]
    assert SCRIPT not in page
    assert f'href="/crm/jobs/{SESSION}"' in page
    assert 'href="/crm/leads/imports/lead_import_1"' in page
    # One is another's, and one is kept no longer.
    assert "/crm/jobs/lead_assign_000002" not in page
    assert "/crm/jobs/gone_000003" not in page
    assert f'href="/crm/users/{olivia}"' in page


def test_a_program_is_told_the_same(api, db, olivia):
    data = api.get(f"{LEADS}/{olivia}").json["data"]
    types = ["first_sign_in", "sent", "deferred", "activated", *["changed"] * 3, "imported"]
    assert [entry["type"] for entry in data["timeline"]] == types
    edited = data["timeline"][4]
    assert edited["changes"][0] == {
        "field": "phone",
        "label": "Phone",
        "before": "1",
        "after": "2",
    }
    assert data["timeline"][3]["job"] == {"id": SESSION, "label": "Activation", "open": True}
    assert data["user"]["id"] == str(olivia)
    assert "inviteNonce" not in data["user"]


def test_a_lead_that_could_not_be_activated(ann, db, new_lead, admin):
    lead_id = new_lead(status="failed", activationId=SESSION, createdAt=at(0))
    db.jobs.insert_one(new_job(SESSION, admin))
    row = {"_id": f"{SESSION}:{lead_id}", "jobId": SESSION, "reason": "invalid_email", "at": at(1)}
    db.job_errors.insert_one(row)
    first = told(ann.get(f"{LEADS}/{lead_id}").text)[0]
    assert first.startswith("Could not be activated by Ann Activation 0_abcd")
    assert first.endswith("No usable e-mail address")


def test_what_a_person_saves_is_told_before_and_after(ann, db, new_lead, new_person, admin):
    bea = new_person("bea@example.com", Role.AGENT)
    lead_id = new_lead(agentId=bea.key, createdAt=at(0))
    path = f"{LEADS}/{lead_id}"
    fields = {"email": "O@x.com", "agentId": "", "tags": "", "status": "qualified"}
    assert ann.submit(path, **fields, notes="a\r\nb").status_code == 302
    newest = told(ann.get(path).text)[0]
    for words in (
        "Changed by ann@example.com",
        "E-mail olivia@example.com → o@x.com",
        "Agent Bea → empty",
        "Tags vip → empty",
        "Status new → qualified",
        "Notes empty → a b",
    ):
        assert words in newest
    assert "Phone" not in newest


def test_a_long_timeline_says_that_there_is_more(ann, db, new_lead, admin):
    lead_id = new_lead(createdAt=at(0))
    path = f"{LEADS}/{lead_id}"
    event = changes.event(lead_id, admin.who, "edit", {"phone": ["1", "2"]})
    db.events.insert_many([{**event, "at": at(minute)} for minute in range(1, 200)])
    page = ann.get(path).text
    assert len(told(page)) == 200
    assert "there are older ones" not in page
    db.events.insert_one({**event, "_id": ObjectId(), "at": at(300)})
    page = ann.get(path).text
    assert len(told(page)) == 200
    assert "The 200 newest entries; there are older ones." in page
    assert "Added" not in told(page)[-1]


def test_the_first_sign_in_is_noted_once(ann, db, new_visitor, new_lead, site):
    lead_id = new_lead(status="active", activatedAt=at(5))
    user = users.new_user("olivia@example.com", "O", Role.USER, user_id=lead_id, leadId=lead_id)
    db.users.insert_one(user)
    assert "Signed in for the first time" not in ann.get(f"{LEADS}/{lead_id}").text
    users.choose_password(db, lead_id, user["inviteNonce"], "hash")
    assert told(ann.get(f"{LEADS}/{lead_id}").text)[0].startswith("Signed in for the first time")
    page = ann.get(f"/crm/users/{lead_id}").text
    assert "First sign-in" in page
    assert f'href="{LEADS}/{lead_id}"' in page


def test_the_journal_and_the_goals_of_the_agent_stand_beside_it(ann, db, new_lead, admin):
    lead_id = new_lead(agentId=admin.key)
    entry = {"leadId": lead_id, "kind": "call", "authorName": "Ann"}
    db.journal_entries.insert_many(
        [{**entry, "text": f"{SCRIPT} talk {n}", "at": at(n)} for n in range(7)]
    )
    db.journal_entries.insert_one({**entry, "leadId": ObjectId(), "text": "of another"})
    goal = {"title": "Many calls", "target": 10, "progress": 3, "unit": "calls"}
    db.goals.insert_one({"userId": admin.key, **goal, "from": at(0), "to": at(0)})
    db.goals.insert_one({"userId": ObjectId(), **goal, "title": "Another's goal"})
    page = ann.get(f"{LEADS}/{lead_id}").text
    assert re.findall(r"talk (\d)", page) == ["6", "5", "4", "3", "2"]
    assert "of another" not in page
    assert SCRIPT not in page
    assert f'href="/crm/journal/new?lead={lead_id}"' in page
    assert f'href="/crm/journal?lead={lead_id}"' in page
    assert "All 7 entries" in page
    assert "Goals of Ann" in page
    assert "3 of 10 calls" in page
    assert "Another&#39;s goal" not in page


ODD = [
    {},
    dict.fromkeys(("name", "email", "status", "tags", "createdAt", "createdBy", "notes")),
    {"name": 5, "phone": 12345.5, "company": True, "tags": "vip", "status": 3, "notes": ["x"]},
    {"name": {"first": "A"}, "email": ["a"], "tags": [1, None, "ok"], "agentId": "me"},
    {"createdAt": "today", "updatedAt": 5, "activatedAt": "x", "createdBy": "Ann"},
    {"agentId": ObjectId(), "importId": "gone", "activationId": "gone", "status": "active"},
    {"importId": 5, "activationId": Int64(5), "status": "activating", "createdBy": {}},
    {"status": "failed", "activationId": "gone", "createdAt": datetime(9999, 12, 31)},
    {"name": SCRIPT, "email": SCRIPT, "company": f'">{SCRIPT}', "tags": [SCRIPT], "source": SCRIPT},
]


@pytest.mark.parametrize("fields", ODD)
def test_whatever_another_program_wrote_can_be_shown_and_changed(ann, api, db, fields):
    lead_id = db.leads.insert_one(dict(fields)).inserted_id
    path = f"{LEADS}/{lead_id}"
    page = ann.get(path)
    assert page.status_code == 200
    assert SCRIPT not in page.text
    assert api.get(path).status_code == 200
    assert ann.submit(path, phone="77").status_code == 302
    after = db.leads.find_one()
    assert (after.pop("phone"), after.pop("words") is None) == ("77", False)
    del after["updatedAt"], after["_id"]
    assert after == {
        name: value.replace(tzinfo=UTC) if isinstance(value, datetime) else value
        for name, value in fields.items()
        if name not in ("_id", "phone", "updatedAt")
    }
