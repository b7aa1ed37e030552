"""An office in which everything is there that the description speaks of."""

from __future__ import annotations

import io
from typing import Any

from flask import Flask

from crmapp.accounts import api_tokens, sessions, users
from crmapp.accounts.sessions import Kind
from crmapp.accounts.tokens import issue_bearer
from crmapp.accounts.users import Role, User
from crmapp.alerts import alerts
from crmapp.alerts.conditions import Alert, Condition
from crmapp.clock import now
from tests.jobs.desk import error, kept
from tests.mailqueue import desk as mails
from tests.support.visitor import Caller

CSV = b"Name,Email\nIvy,ivy@example.org\nNobody,\n"

# What is called the same and is another thing, by the address.
ELSEWHERE = {
    ("/profile/sessions/{session_id}", "session_id"): "my_session_id",
    ("/api/ml/sync/job/{job_id}", "job_id"): "sync_id",
    ("/crm/jobs/{job_id}/{action}", "job_id"): "session_id",
    ("/crm/activation/{job_id}/{action}", "job_id"): "session_id",
}

SAMPLES = {"action": "pause", "type": "leads"}
TODAY = now().date().isoformat()
ENTRY = {"leadId": "", "kind": "call", "text": "They asked for the price."}
GOAL = {"userId": "", "title": "Ten", "target": 10, "from": TODAY, "to": TODAY}
ALL: dict[str, Any] = {"filter": {}}
# What is sent with a request that succeeds; ids are put in.
BODIES: dict[str, dict[str, Any]] = {
    "POST /api/login": {"email": "boss@example.com", "password": "correct-horse"},
    "PATCH /profile": {"name": "The boss"},
    "POST /profile/password": {
        "password": "correct-horse",
        "newPassword": "another-horse-42",
        "newPasswordAgain": "another-horse-42",
    },
    "POST /profile/tokens": {"name": "nightly", "days": 30},
    "POST /crm/leads": {"name": "Ivy", "email": "ivy@example.com"},
    "PATCH /crm/leads/{lead_id}": {"notes": "Met twice."},
    "POST /crm/leads/selections": ALL,
    "POST /crm/leads/filters": {"name": "New ones", "query": {"status": "new", "sort": "name"}},
    "POST /crm/leads/bulk/assign/preview": {**ALL, "agentId": ""},
    "POST /crm/leads/bulk/assign": {**ALL, "agentId": ""},
    "POST /crm/leads/bulk/status/preview": {**ALL, "status": "contacted"},
    "POST /crm/leads/bulk/status": {**ALL, "status": "contacted"},
    "POST /crm/leads/bulk/tag/preview": {**ALL, "add": ["vip"]},
    "POST /crm/leads/bulk/tag": {**ALL, "add": ["vip"]},
    "POST /crm/leads/bulk/delete/preview": ALL,
    "POST /crm/leads/bulk/delete": ALL,
    "POST /crm/leads/activate/preview": ALL,
    "POST /crm/leads/activate": {"leadIds": []},
    "POST /crm/leads/import": {"file": CSV},
    "POST /crm/leads/imports": {"file": CSV},
    "POST /crm/leads/imports/{import_id}/preview": {"mapping": {"0": "name"}},
    "POST /crm/leads/imports/{import_id}/start": {},
    "POST /crm/journal": ENTRY,
    "PATCH /crm/journal/{entry_id}": {"text": "They asked again."},
    "POST /crm/goals": GOAL,
    "PATCH /crm/goals/{goal_id}": {"progress": 4},
    "POST /crm/email-queue/failed/retry": {"filter": {"q": "nothing is like this"}},
    "POST /crm/email-queue/failed/drop": {"filter": {"q": "nothing is like this"}},
    "PATCH /crm/email-queue/failed/{mail_id}": {"email": "ivy@example.net"},
    "POST /crm/users": {"name": "Ivy", "email": "ivy@example.com", "role": "agent"},
    "PATCH /crm/users/{user_id}": {"name": "Ann"},
    **{
        f"POST /crm/users/bulk/{name}{rest}": {"userIds": [], "role": "user"}
        for name in ("disable", "enable", "role", "reinvite")
        for rest in ("", "/preview")
    },
}
# What is refused to everybody in this office, so that its success is tested elsewhere.
REFUSED = ("POST /crm/leads/imports/{import_id}/undo",)


def fill(db: Any, site: Flask, boss: User, leads: list[Any]) -> dict[str, Any]:
    """Something of every kind. Returns an id of each, by what addresses and bodies call it."""
    api = Caller(site, boss)
    entry, goal = {**ENTRY, "leadId": str(leads[0])}, {**GOAL, "userId": boss.id}
    db.leads.update_one({"_id": leads[0]}, {"$set": {"agentId": boss.key}})
    job = kept(db, boss, failed=1, skipped=1)
    error(db, job)
    failed = {"status": "failed", "activationId": job["_id"]}
    db.leads.update_one({"_id": leads[2]}, {"$set": failed})
    agent = users.new_user("agent@example.com", "Al", Role.AGENT)
    db.users.insert_one(agent)
    mail = mails.failed(db, userId=agent["_id"])
    mails.pending(db)
    mails.sent(db)
    sync = kept(db, boss, type="goals", counts={"total": 1, "synced": 0, "failed": 1})
    error(db, sync, title="Ten", words="Its title is no text.", itemId="7")
    _document(db, boss)
    alert = Alert(Condition.NO_WORKER, "No worker", "Start one.", "/crm/jobs", "The jobs")
    with site.app_context():
        alerts.refresh(db, [alert])
        _, token = api_tokens.create(db, boss, "nightly", 30)
        session_id = sessions.id_of(sessions.begin(db, boss, Kind.BROWSER, "192.0.2.1", "x"))
    return {
        "lead_id": str(leads[0]),
        "entry_id": _id(api.post("/crm/journal", entry)),
        "goal_id": _id(api.post("/crm/goals", goal)),
        "filter_id": _id(api.post("/crm/leads/filters", {"name": "New", "query": {"q": "x"}})),
        "import_id": _id(api.post("/crm/leads/imports", data={"file": (io.BytesIO(CSV), "x.csv")})),
        "job_id": job["_id"],
        "session_id": api.activate(leadIds=[str(leads[1])]),
        "mail_id": str(mail["_id"]),
        "user_id": str(agent["_id"]),
        "token_id": str(token["_id"]),
        "my_session_id": session_id,
        "sync_id": sync["_id"],
        "leadId": str(leads[0]),
        "leadIds": [str(leads[1]), str(leads[3])],
        "agentId": str(agent["_id"]),
        "userId": boss.id,
        "userIds": [str(agent["_id"])],
        "ids": [str(mail["_id"])],
    }


def _id(answer: Any) -> str:
    assert answer.status_code == 201, answer.text
    return str(answer.json["data"]["id"])


def _document(db: Any, owner: User) -> None:
    told = {"type": "goals", "sourceId": "7", "title": "Ten", "text": "Ten.", "metadata": {}}
    times = {"date": now(), "syncedAt": now()}
    db.documents.insert_one(
        {**told, **times, "ownerId": owner.key, "contentHash": "", "sourceHash": b""}
    )


def sign_in(db: Any, site: Flask, user: User) -> dict[str, str]:
    """The header of a program that was signed in just now: requests may end every session of the user."""
    user = User(db.users.find_one({"_id": user.key}))
    with site.app_context():
        login = sessions.begin(db, user, Kind.PROGRAM, "127.0.0.1", "a program")
        return {"Authorization": f"Bearer {issue_bearer(login)}"}
