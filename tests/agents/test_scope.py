"""An agent sees and changes the leads assigned to them, what is written about those, and their own goals."""

from __future__ import annotations

import pytest
from bson import ObjectId

from crmapp.accounts.users import Role
from crmapp.clock import now
from crmapp.goals.filters import today
from tests.conftest import PASSWORD
from tests.support.work import run_jobs

SECRET = "Zanzibar"


@pytest.fixture
def abe(new_person):
    return new_person("abe@example.com", Role.AGENT)


@pytest.fixture
def mine(new_leads, abe):
    (lead_id,) = new_leads(1, agentId=abe.key, name="Mina Mine", tags=["warm"], source="fair")
    return lead_id


@pytest.fixture
def others(db, new_leads, admin):
    """Somebody else's lead, with an account and everything else that could be seen of it."""
    fields = {
        "name": f"{SECRET} Zoe",
        "company": f"{SECRET} Ltd",
        "source": SECRET,
        "tags": [SECRET],
    }
    (lead_id,) = new_leads(1, agentId=admin.key, email="zoe@zanzibar.example", **fields)
    (nobodys,) = new_leads(1, name=f"{SECRET} Nobody", company=f"{SECRET} Ltd", tags=[SECRET])
    for about in (lead_id, nobodys):
        db.journal_entries.insert_one(entry(about, admin))
    db.goals.insert_one(
        {"userId": admin.key, "title": f"{SECRET} goal", "target": 1, "progress": 0, "unit": ""}
        | {"from": today(), "to": today(), "notes": "", "createdAt": now(), "updatedAt": now()}
    )
    db.documents.insert_one(
        {"type": "leads", "sourceId": lead_id, "title": SECRET, "text": SECRET, "metadata": {}}
        | {"ownerId": admin.key, "date": now(), "contentHash": "x", "syncedAt": now()}
    )
    db.users.insert_one(
        {"email": "zanzibar@example.com", "name": SECRET, "role": "user", "status": "active"}
    )
    return lead_id


def entry(lead_id, author):
    return {
        "leadId": lead_id,
        "kind": "call",
        "text": f"Spoke of {SECRET}.",
        "authorId": author.key,
        "authorName": author.name,
        "at": now(),
        "createdAt": now(),
        "updatedAt": now(),
    }


@pytest.fixture
def agent(new_api, abe):
    """A program that the agent signed in."""
    return new_api(abe)


LOOKS = [
    "/crm",
    "/crm/leads",
    "/crm/leads?status=new",
    "/crm/leads?sort=name&last=1",
    f"/crm/leads?q={SECRET}",
    f"/crm/leads?source={SECRET}",
    f"/crm/leads?tag={SECRET}",
    f"/crm/leads?company={SECRET}%20Ltd",
    "/crm/leads?agent=none",
    "/crm/leads?agent={admin}",
    "/crm/leads?account=no",
    f"/crm/leads/companies?q={SECRET}",
    "/crm/leads/export.csv",
    f"/crm/leads/export.csv?q={SECRET}",
    "/crm/leads/export.csv?agent={admin}",
    f"/crm/search?q={SECRET}",
    "/crm/search?q=zoe@zanzibar.example",
    "/crm/search?q=zanzibar@example.com",
    "/crm/journal",
    f"/crm/journal?q={SECRET}",
    "/crm/journal?lead={lead}",
    "/crm/journal?author={admin}",
    f"/crm/journal/leads?q={SECRET}",
    "/crm/journal/leads?q=zoe@",
    "/crm/journal/new?lead={lead}",
    "/crm/goals",
    f"/crm/goals?q={SECRET}",
    "/crm/goals?person={admin}",
    "/crm/goals/new?person={admin}",
    "/crm/jobs",
    "/crm/jobs/active",
    "/crm/jobs/history",
    "/crm/leads/{mine}",
]


def test_nothing_of_others_is_to_be_seen_by_any_address(
    visitor, agent, abe, admin, mine, others, new_person
):
    visitor.sign_in(abe.email, PASSWORD)
    hidden = (SECRET.lower(), "zoe@", str(others), "ann@example.com")
    for look in LOOKS:
        path = look.format(admin=admin.id, lead=others, mine=mine)
        asked = path.partition("?")[2].lower()
        for caller in (agent, visitor):
            answer = caller.get(path)
            text = answer.get_data(as_text=True).lower()
            # What was asked for is repeated in the filter's fields.
            seen = [word for word in hidden if word in text and word not in asked]
            assert (path, answer.status_code, seen) == (path, 200, [])
    by_name = agent.get(f"/crm/leads?q={SECRET}").json["data"]
    assert (by_name["items"], by_name["total"]) == ([], 0)
    for path in ("journal", "goals"):
        assert agent.get(f"/crm/{path}?q={SECRET}").json["data"]["total"] == 0
    assert agent.get(f"/crm/search?q={SECRET}").json["data"]["sections"] == []
    assert agent.get("/crm").json["data"]["leads"]["new"] == 1


def test_their_own_is_there(agent, abe, mine, others, db):
    db.journal_entries.insert_one(entry(mine, abe))
    assert [lead["name"] for lead in agent.get("/crm/leads").json["data"]["items"]] == ["Mina Mine"]
    assert "Mina Mine" in agent.get("/crm/leads/export.csv").get_data(as_text=True)
    assert agent.get("/crm/journal").json["data"]["total"] == 1
    found = agent.get("/crm/search?q=mina").json["data"]["sections"]
    assert [section["name"] for section in found] == ["leads"]
    changed = agent.patch(f"/crm/leads/{mine}", {"phone": "0123"})
    assert changed.status_code == 200
    goal = {
        "userId": abe.id,
        "title": "Ten",
        "target": 10,
        "from": "2026-01-01",
        "to": "2026-12-31",
    }
    assert agent.post("/crm/goals", goal).status_code == 201
    written = agent.post(
        "/crm/journal", {"leadId": str(mine), "kind": "note", "text": "Likes tea."}
    )
    assert written.status_code == 201


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PATCH", "/crm/leads/{mine}", {"agentId": ""}, 403),
        ("PATCH", "/crm/leads/{mine}", {"agentId": "{admin}"}, 403),
        ("PATCH", "/crm/leads/{lead}", {"phone": "1"}, 404),
        ("POST", "/crm/leads/bulk/assign", {"leadIds": ["{mine}"], "agentId": "{admin}"}, 403),
        ("POST", "/crm/leads/bulk/delete", {"leadIds": ["{mine}"]}, 403),
        ("POST", "/crm/leads/bulk/tag", {"leadIds": ["{lead}"], "add": ["x"]}, 422),
        ("POST", "/crm/leads/bulk/tag", {"filter": {"tag": SECRET}, "add": ["x"]}, 422),
        ("POST", "/crm/leads/activate", {"leadIds": ["{mine}"]}, 403),
        ("POST", "/crm/journal", {"leadId": "{lead}", "kind": "note", "text": "x"}, 422),
        ("POST", "/crm/goals", {"userId": "{admin}", "title": "x", "target": 1}, 422),
    ],
)
def test_what_they_may_not_change_stays_as_it_is(
    agent, admin, db, mine, others, method, path, body, status
):
    names = {"{mine}": str(mine), "{lead}": str(others), "{admin}": admin.id}

    def filled(value):
        if isinstance(value, list):
            return [filled(each) for each in value]
        return names.get(value, value) if isinstance(value, str) else value

    def everything():
        return [list(db[name].find()) for name in ("leads", "journal_entries", "goals", "jobs")]

    before = everything()
    for name, value in names.items():
        path = path.replace(name, value)
    call = agent.patch if method == "PATCH" else agent.post
    answer = call(path, {name: filled(value) for name, value in body.items()})
    assert answer.status_code == status, answer.text
    assert SECRET not in answer.text
    assert everything() == before


def test_a_lead_is_not_chosen_by_an_address_that_is_not_theirs(visitor, abe, db, others):
    visitor.sign_in(abe.email, PASSWORD)
    typed = {"lead": "zoe@zanzibar.example", "kind": "note", "text": "x"}
    answer = visitor.submit("/crm/journal", page="/crm/journal/new", **typed)
    assert answer.status_code == 422
    assert db.journal_entries.count_documents({"text": "x"}) == 0


def test_the_address_of_somebody_elses_lead_is_refused_without_a_name(agent, mine, others):
    answer = agent.patch(f"/crm/leads/{mine}", {"email": "zoe@zanzibar.example"})
    assert answer.status_code == 422
    assert "Ask an administrator" in answer.text
    assert SECRET not in answer.text


def test_a_bulk_action_reaches_only_their_own(agent, mine, others, db, site):
    body = {"leadIds": [str(mine), str(others)], "add": ["x"], "remove": []}
    seen = agent.post("/crm/leads/bulk/tag/preview", body).json["data"]
    assert (seen["toChange"], seen["skipped"]) == (1, {"not_found": 1})
    agent.post("/crm/leads/bulk/tag", body)
    run_jobs(site)
    assert db.leads.find_one({"_id": mine})["tags"] == ["warm", "x"]
    assert db.leads.find_one({"_id": others})["tags"] == [SECRET]


def test_a_lead_that_is_given_away_meanwhile_is_left_alone(agent, abe, admin, mine, db, site):
    begun = agent.post("/crm/leads/bulk/tag", {"leadIds": [str(mine)], "add": ["x"], "remove": []})
    frozen = agent.post("/crm/leads/selections", {"leadIds": [str(mine)]}).json["data"]
    db.leads.update_one({"_id": mine}, {"$set": {"agentId": admin.key}})
    run_jobs(site)
    assert db.leads.find_one({"_id": mine})["tags"] == ["warm"]
    job = agent.get(f"/crm/jobs/{begun.json['data']['jobId']}").json["data"]
    assert (job["status"], job["skipped"]) == ("completed", 1)
    exported = agent.get(f"/crm/leads/export.csv?selectionId={frozen['selectionId']}")
    assert "Mina" not in exported.get_data(as_text=True)


def test_who_was_an_administrator_keeps_nothing_of_it(db, new_api, new_person, others):
    eve = new_person("eve@example.com")
    api = new_api(eve)
    frozen = api.post("/crm/leads/selections", {"filter": {}}).json["data"]["selectionId"]
    body = {"leadIds": [str(others)], "add": ["x"], "remove": []}
    job_id = api.post("/crm/leads/bulk/tag", body).json["data"]["jobId"]
    db.users.update_one({"_id": eve.key}, {"$set": {"role": Role.AGENT}})
    eve = new_api(eve)
    exported = eve.get(f"/crm/leads/export.csv?selectionId={frozen}").get_data(as_text=True)
    assert SECRET not in exported
    assert eve.get(f"/crm/jobs/{job_id}").status_code == 403
    assert eve.post(f"/crm/jobs/{job_id}/pause", {}).status_code == 403
    assert eve.get("/crm/jobs").json["data"]["items"] == []


def test_their_pages_offer_only_what_they_may_do(visitor, abe, mine):
    visitor.sign_in(abe.email, PASSWORD)
    for path in ("/crm", "/crm/leads", f"/crm/leads/{mine}", "/crm/journal", "/crm/jobs"):
        page = visitor.get(path).get_data(as_text=True)
        for closed in (
            "/crm/email-queue",
            "/crm/leads/import",
            "/crm/leads/new",
            "/sync",
            "/delete",
        ):
            assert f'"{closed}' not in page, (path, closed)
        for part in ('data-bulk="assign"', 'data-bulk="delete"', 'id="activate"', "system-banner"):
            assert part not in page, (path, part)


def test_a_lead_of_nobody_or_of_a_strange_kind_is_nobodys(db, agent, new_leads):
    new_leads(1)
    new_leads(1, agentId=None)
    new_leads(1, agentId="abe@example.com")
    new_leads(1, agentId=ObjectId())
    assert agent.get("/crm/leads").json["data"]["total"] == 0


def test_their_stream_tells_nothing_of_the_mail(site, agent, admin, new_api):
    def first_events(caller):
        answer = caller.get("/stream", Accept="text/event-stream")
        pieces = iter(answer.response)
        text = b"".join(next(pieces) for _ in range(2)).decode()
        answer.close()
        return text

    assert "emailQueue" in first_events(new_api(admin))
    assert "emailQueue" not in first_events(agent)
