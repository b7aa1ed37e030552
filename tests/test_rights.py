"""Who reaches what: every route, for every role, with things of their own and of others."""

from __future__ import annotations

from typing import Any

import pytest
from bson import ObjectId

from crmapp.accounts import api_tokens, rights, sessions
from crmapp.accounts.sessions import Kind
from crmapp.accounts.users import Role
from crmapp.clock import now
from tests.jobs.desk import kept
from tests.support.visitor import Caller

# Who a route is for.
OPEN = "open"  # everybody, also who is not signed in
EVERYBODY = "everybody"  # who is signed in
AGENTS = "agents"  # agents and administrators
ADMINS = "admins"  # administrators
SUPERADMINS = "superadmins"

# What became of a request.
IN, HIDDEN, FORBIDDEN, SIGN_IN = "let in", "not found", "forbidden", "told to sign in"

# What a route is about, and so whose things somebody may come near: see `outcome`.
LEAD, ENTRY, GOAL, JOB, SYNC = ["lead", "entry", "goal", "job", "sync"]
IMPORT, FILTER, USER, SESSION, TOKEN = ["import", "filter", "user", "session", "token"]

# By method and path: who it is for, and what the first part of the path that varies is.
TABLE: dict[str, tuple[str, str | None]] = {
    "GET /": (OPEN, None),
    "GET /healthz": (OPEN, None),
    "GET /readyz": (OPEN, None),
    "GET /metrics": (OPEN, None),  # behind a token of its own
    "GET /login": (OPEN, None),
    "POST /login": (OPEN, None),
    "POST /api/login": (OPEN, None),
    "GET /invitation/<token>": (OPEN, None),
    "POST /invitation/<token>": (OPEN, None),
    "POST /invitation/<token>/renew": (OPEN, None),
    "POST /logout": (OPEN, None),
    "GET /forgot": (OPEN, None),
    "POST /forgot": (OPEN, None),
    "GET /password/<token>": (OPEN, None),
    "POST /password/<token>": (OPEN, None),
    "GET /static/<path:filename>": (OPEN, None),
    "GET /bootstrap/static/<path:filename>": (OPEN, None),
    "GET /welcome": (EVERYBODY, None),
    "GET /profile": (EVERYBODY, None),
    "POST /profile": (EVERYBODY, None),
    "PATCH /profile": (EVERYBODY, None),
    "POST /profile/password": (EVERYBODY, None),
    "DELETE /profile/sessions/<session_id>": (EVERYBODY, SESSION),
    "POST /profile/sessions/<session_id>/end": (EVERYBODY, SESSION),
    "POST /profile/sessions/end-others": (EVERYBODY, None),
    "POST /profile/tokens": (EVERYBODY, None),
    "DELETE /profile/tokens/<token_id>": (EVERYBODY, TOKEN),
    "POST /profile/tokens/<token_id>/revoke": (EVERYBODY, TOKEN),
    "GET /stream": (AGENTS, None),
    "GET /crm": (AGENTS, None),
    "GET /crm/search": (AGENTS, None),
    "GET /crm/leads": (AGENTS, None),
    "GET /crm/leads/companies": (AGENTS, None),
    "POST /crm/leads/selections": (AGENTS, None),
    "GET /crm/leads/filters": (AGENTS, None),
    "POST /crm/leads/filters": (AGENTS, None),
    "DELETE /crm/leads/filters/<filter_id>": (AGENTS, FILTER),
    "GET /crm/leads/export.csv": (AGENTS, None),
    "POST /crm/leads/bulk/<name>/preview": (AGENTS, None),
    "POST /crm/leads/bulk/<name>": (AGENTS, None),
    "GET /crm/leads/new": (ADMINS, None),
    "POST /crm/leads/new": (ADMINS, None),
    "POST /crm/leads": (ADMINS, None),
    "GET /crm/leads/<string(length=24):lead_id>": (AGENTS, LEAD),
    "POST /crm/leads/<string(length=24):lead_id>": (AGENTS, LEAD),
    "PATCH /crm/leads/<string(length=24):lead_id>": (AGENTS, LEAD),
    "POST /crm/leads/<string(length=24):lead_id>/delete": (ADMINS, LEAD),
    "DELETE /crm/leads/<string(length=24):lead_id>": (ADMINS, LEAD),
    "GET /crm/leads/import": (ADMINS, None),
    "POST /crm/leads/import": (ADMINS, None),
    "POST /crm/leads/imports": (ADMINS, None),
    "GET /crm/leads/imports/<import_id>": (ADMINS, IMPORT),
    "POST /crm/leads/imports/<import_id>/preview": (ADMINS, IMPORT),
    "POST /crm/leads/imports/<import_id>/start": (ADMINS, IMPORT),
    "POST /crm/leads/imports/<import_id>/undo": (ADMINS, IMPORT),
    "GET /crm/leads/imports/<import_id>/bad-rows.csv": (ADMINS, IMPORT),
    "POST /crm/leads/activate/preview": (ADMINS, None),
    "POST /crm/leads/activate": (ADMINS, None),
    "GET /crm/activation/active": (AGENTS, None),
    "GET /crm/activation/progress/<session_id>": (AGENTS, JOB),
    "GET /crm/activation/stream/<session_id>": (AGENTS, JOB),
    "GET /crm/jobs": (AGENTS, None),
    "GET /crm/jobs/active": (AGENTS, None),
    "GET /crm/jobs/history": (AGENTS, None),
    "GET /crm/jobs/history.csv": (AGENTS, None),
    "GET /crm/jobs/<job_id>": (AGENTS, JOB),
    "GET /crm/jobs/<job_id>/errors": (AGENTS, JOB),
    "GET /crm/jobs/<job_id>/errors.csv": (AGENTS, JOB),
    "POST /crm/jobs/<job_id>/<any(pause, resume, cancel, undo):action>": (AGENTS, JOB),
    "POST /crm/activation/<job_id>/<any(pause, resume, cancel, undo):action>": (AGENTS, JOB),
    "POST /crm/jobs/<job_id>/retry": (AGENTS, JOB),
    "POST /crm/activation/<job_id>/retry": (AGENTS, JOB),
    "GET /crm/journal": (AGENTS, None),
    "GET /crm/journal/leads": (AGENTS, None),
    "GET /crm/journal/new": (AGENTS, None),
    "POST /crm/journal": (AGENTS, None),
    "GET /crm/journal/<entry_id>": (AGENTS, ENTRY),
    "POST /crm/journal/<entry_id>": (AGENTS, ENTRY),
    "PATCH /crm/journal/<entry_id>": (AGENTS, ENTRY),
    "POST /crm/journal/<entry_id>/delete": (AGENTS, ENTRY),
    "DELETE /crm/journal/<entry_id>": (AGENTS, ENTRY),
    "GET /crm/goals": (AGENTS, None),
    "GET /crm/goals/new": (AGENTS, None),
    "POST /crm/goals": (AGENTS, None),
    "GET /crm/goals/<goal_id>": (AGENTS, GOAL),
    "POST /crm/goals/<goal_id>": (AGENTS, GOAL),
    "PATCH /crm/goals/<goal_id>": (AGENTS, GOAL),
    "POST /crm/goals/<goal_id>/delete": (AGENTS, GOAL),
    "DELETE /crm/goals/<goal_id>": (AGENTS, GOAL),
    "GET /crm/email-queue": (ADMINS, None),
    "GET /crm/email-queue/status": (ADMINS, None),
    "GET /crm/email-queue/health": (ADMINS, None),
    "GET /crm/alerts": (ADMINS, None),
    "GET /api/openapi.json": (AGENTS, None),
    "GET /crm/email-queue/export.csv": (ADMINS, None),
    "GET /crm/email-queue/mail/<mail_id>/timeline": (ADMINS, None),
    "POST /crm/email-queue/failed/retry": (ADMINS, None),
    "POST /crm/email-queue/failed/drop": (ADMINS, None),
    "PATCH /crm/email-queue/failed/<mail_id>": (ADMINS, None),
    "DELETE /crm/email-queue/failed/<mail_id>": (ADMINS, None),
    "POST /crm/email-queue/pause": (ADMINS, None),
    "POST /crm/email-queue/resume": (ADMINS, None),
    "GET /crm/users": (ADMINS, None),
    "POST /crm/users": (ADMINS, None),
    "POST /crm/users/bulk/<name>/preview": (ADMINS, None),
    "POST /crm/users/bulk/<name>": (ADMINS, None),
    "GET /crm/users/<user_id>": (ADMINS, USER),
    "PATCH /crm/users/<user_id>": (ADMINS, USER),
    "POST /crm/users/<user_id>/invitation": (ADMINS, USER),
    "GET /crm/audit": (ADMINS, None),
    "GET /crm/audit/export.csv": (ADMINS, None),
    "GET /sync": (ADMINS, None),
    "POST /api/ml/sync/<type>": (ADMINS, None),
    "GET /api/ml/sync/jobs": (ADMINS, None),
    "GET /api/ml/sync/job/<job_id>": (ADMINS, SYNC),
    "GET /local/mail": (SUPERADMINS, None),
    "GET /local/mail/<key>": (SUPERADMINS, None),
}
ENTERS = {
    OPEN: set(Role),
    EVERYBODY: set(Role),
    AGENTS: {Role.AGENT, Role.ADMIN, Role.SUPERADMIN},
    ADMINS: {Role.ADMIN, Role.SUPERADMIN},
    SUPERADMINS: {Role.SUPERADMIN},
}
# Whose things stay closed to a role that is let in otherwise, and how.
OWN_ONLY = {FILTER: HIDDEN, SESSION: HIDDEN, TOKEN: HIDDEN}
CLOSED = {
    Role.USER: OWN_ONLY,
    Role.AGENT: {LEAD: HIDDEN, ENTRY: HIDDEN, GOAL: HIDDEN, JOB: FORBIDDEN, **OWN_ONLY},
    Role.ADMIN: {JOB: FORBIDDEN, SYNC: FORBIDDEN, IMPORT: FORBIDDEN, **OWN_ONLY},
    Role.SUPERADMIN: OWN_ONLY,
}
SOME_ID = "5f0000000000000000000000"


def routes_of(site: Any) -> set[str]:
    return {
        f"{method} {rule.rule}"
        for rule in site.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }


@pytest.fixture
def local_site(new_site, db, environ):
    """With the pages of the mail catcher too."""
    return new_site(MAIL_SERVER="")


def test_every_route_is_in_the_table(local_site):
    assert routes_of(local_site) == set(TABLE)


def outcome(role: Role | None, audience: str, kind: str | None, own: bool) -> str:
    """What is to become of a request."""
    if role is None:
        return IN if audience == OPEN else SIGN_IN
    if role not in ENTERS[audience]:
        return FORBIDDEN
    return IN if own else CLOSED.get(role, {}).get(kind, IN)


def became(answer: Any) -> str:
    if answer.status_code == 401 or "/login?next=" in (answer.location or ""):
        return SIGN_IN
    return {403: FORBIDDEN, 404: HIDDEN}.get(answer.status_code, IN)


@pytest.fixture
def thing_of(db, new_leads, new_person):
    """Makes a thing of a kind that belongs to a person; returns its id as text."""

    def make(kind: str | None, person: Any) -> str:
        if kind in (LEAD, ENTRY):
            (lead_id,) = new_leads(1, agentId=person.key)
        if kind == SYNC:
            return str(kept(db, person, type="goals")["_id"])
        if kind == JOB:
            limits = rights.leads_of(person)
            job = kept(db, person, **({"within": limits} if limits else {}))
            db.activation_progress.insert_one(
                {"sessionId": job["_id"], "userId": person.key, "type": "activation", "rev": 1}
                | {"completed": True, "total": 1, "activated": 1, "expireAt": None}
            )
            return str(job["_id"])
        if kind == IMPORT:
            return str(db.imports.insert_one(brought_by(person)).inserted_id)
        if kind == SESSION:
            return sessions.id_of(sessions.begin(db, person, Kind.BROWSER, "192.0.2.1", "x"))
        if kind == TOKEN:
            return str(api_tokens.create(db, person, "x", 1)[1]["_id"])
        if kind == USER:
            return new_person(f"{ObjectId()}@example.com", Role.USER).id
        if kind == LEAD:
            return str(lead_id)
        made = {
            ENTRY: ("journal_entries", lambda: entry_by(person, lead_id)),
            GOAL: ("goals", lambda: goal_of(person)),
            FILTER: ("saved_filters", lambda: {"name": str(ObjectId()), "query": {}}),
        }
        if kind not in made:
            return SOME_ID
        collection, document = made[kind]
        thing = {"userId": person.key, **document()}
        return str(db[collection].insert_one(thing).inserted_id)

    return make


def entry_by(person: Any, lead_id: ObjectId) -> dict[str, Any]:
    by = {"id": person.key, "name": person.email}
    return {"kind": "call", "text": "Spoke.", "leadId": lead_id, "at": now(), "createdBy": by}


def goal_of(person: Any) -> dict[str, Any]:
    return {"title": "Ten", "target": 10, "unit": "", "progress": 1, "from": now(), "to": now()}


def brought_by(person: Any) -> dict[str, Any]:
    return {
        "_id": f"import_{ObjectId()}",
        "userId": person.key,
        "userName": person.email,
        "file": "x.csv",
        "fileId": ObjectId(),
        "size": 1,
        "encoding": "utf-8",
        "delimiter": ",",
        "headings": ["name"],
        "mapping": ["name"],
        "examples": [[]],
        "rows": [],
        "start": [0, 1],
        "createdAt": now(),
        "state": "uploaded",
    }


@pytest.fixture
def ask(site):
    """What becomes of a request for a route about the thing of this id."""

    def asked(caller: Caller | None, route: str, thing: str) -> str:
        method, _, rule = route.partition(" ")
        path = rule.replace("<any(pause, resume, cancel, undo):action>", "pause")
        path = path.replace("<name>", "tag").replace("<type>", "goals")
        while "<" in path:
            path = path[: path.index("<")] + thing + path[path.index(">") + 1 :]
        headers = caller.headers if caller else {}
        body = None if method == "GET" else {}
        with site.test_client() as client:
            return became(
                client.open(
                    path,
                    method=method,
                    json=body,
                    headers={"Accept": "application/json", **headers},
                )
            )

    return asked


@pytest.mark.parametrize("role", [None, *Role], ids=lambda role: role or "nobody")
def test_everybody_reaches_what_the_table_says(role, site, ask, thing_of, new_person, new_api):
    me = new_person("me@example.com", role or Role.USER)
    other = new_person("other@example.com", Role.AGENT)
    caller = new_api(me) if role else None
    wrong = {}
    for route in sorted(routes_of(site)):
        audience, kind = TABLE[route]
        if audience == OPEN:
            continue  # they say 404 and 410 for reasons of their own, and have tests of their own
        for owner in (me, other) if kind else (me,):
            expected = outcome(role, audience, kind, owner is me)
            found = ask(caller, route, thing_of(kind, owner))
            if found != expected and not (found == HIDDEN and kind is None and expected == IN):
                wrong[f"{route} ({'own' if owner is me else 'other'})"] = (expected, found)
    assert wrong == {}
