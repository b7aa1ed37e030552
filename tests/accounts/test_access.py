"""Who reaches what, and for how long."""

import time

import pytest

from crmapp.accounts.users import Role
from tests.conftest import PASSWORD
from tests.support.waiting import until

JSON, STREAM = "application/json", "text/event-stream"
ROUTES = [
    ("GET", "/crm/leads", JSON),
    ("POST", "/crm/leads/import", JSON),
    ("POST", "/crm/leads/activate/preview", JSON),
    ("POST", "/crm/leads/activate", JSON),
    ("GET", "/crm/activation/progress/activation_1700000000000_abcd", JSON),
    ("GET", "/crm/activation/active", JSON),
    ("GET", "/crm/email-queue", JSON),
    ("GET", "/crm/email-queue/status", JSON),
    ("GET", "/crm/email-queue/health", JSON),
    ("GET", "/crm/email-queue/mail/5f0000000000000000000000/timeline", JSON),
    ("GET", "/crm/email-queue/export.csv", JSON),
    ("POST", "/crm/email-queue/failed/retry", JSON),
    ("POST", "/crm/email-queue/failed/drop", JSON),
    ("DELETE", "/crm/email-queue/failed/5f0000000000000000000000", JSON),
    ("PATCH", "/crm/email-queue/failed/5f0000000000000000000000", JSON),
    ("POST", "/crm/email-queue/pause", JSON),
    ("POST", "/crm/email-queue/resume", JSON),
    ("GET", "/crm/users/5f0000000000000000000000", JSON),
    ("POST", "/crm/users/5f0000000000000000000000/invitation", JSON),
    ("GET", "/stream", STREAM),
    ("GET", "/crm/activation/stream/activation_1700000000000_abcd", STREAM),
]


def test_without_a_session_a_program_is_told_to_sign_in(site):
    for method, path, accept in ROUTES:
        answer = site.test_client().open(path, method=method, headers={"Accept": accept})
        assert answer.status_code == 401, path
        assert answer.json == {"success": False, "msg": "Please sign in."}


@pytest.mark.parametrize("role", [Role.USER, Role.AGENT])
def test_only_administrators_enter_the_back_office(visitor, new_person, role):
    new_person("uma@example.com", role)
    visitor.sign_in("uma@example.com", PASSWORD)
    token = {"X-CSRFToken": visitor.csrf_token("/welcome")}
    for method, path, accept in ROUTES:
        answer = visitor.client.open(path, method=method, headers={"Accept": accept, **token})
        assert answer.status_code == 403, path
        assert answer.json["msg"] == "Your account may not do this. Ask an administrator."


def test_a_user_who_was_a_lead_is_welcomed_and_sees_no_leads(visitor, new_person):
    new_person("uma@example.com", Role.USER)
    assert visitor.sign_in("uma@example.com", PASSWORD).location == "/welcome"
    refused = visitor.get("/crm/leads")
    assert refused.status_code == 403
    assert "Ask an administrator" in refused.get_data(as_text=True)


def test_the_welcome_page_sends_a_stranger_to_sign_in(visitor):
    answer = visitor.get("/welcome")
    assert answer.status_code == 302
    assert answer.location.startswith("/login")


def test_a_new_session_version_ends_cookies_and_tokens(ann, site, db, admin):
    login = {"email": admin.email, "password": PASSWORD}
    token = site.test_client().post("/api/login", json=login).json["data"]["token"]
    program = site.test_client()
    bearer = {"Authorization": f"Bearer {token}"}
    assert program.get("/crm/leads", headers=bearer).status_code == 200
    db.users.update_one({"_id": admin.key}, {"$inc": {"sessionVersion": 1}})
    until(lambda: program.get("/crm/leads", headers=bearer).status_code == 401, 2)
    until(lambda: ann.get_json("/crm/leads").status_code == 401, 2)


def test_a_disabled_users_poll_and_stream_end_at_once(db, program, admin, new_leads):
    new_leads(1)
    session_id = program.activate()
    path = f"/crm/activation/progress/{session_id}"
    assert program.get(path).status_code == 200
    db.users.update_one({"_id": admin.key}, {"$set": {"status": "disabled"}})
    began = time.monotonic()
    until(lambda: program.get(path).status_code == 401, 2, "the poll ends within 2 s")
    assert time.monotonic() - began < 2
    assert program.get("/stream", headers={"Accept": "text/event-stream"}).status_code == 401
