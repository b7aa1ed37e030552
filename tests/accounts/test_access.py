"""Who reaches what, and for how long."""

import time

import pytest

from crmapp.accounts import api_tokens, sessions
from crmapp.accounts.sessions import Kind
from crmapp.accounts.users import Role
from crmapp.clock import now
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


def test_who_was_a_lead_does_not_enter_the_back_office(visitor, new_person):
    new_person("uma@example.com", Role.USER)
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


@pytest.mark.parametrize("path", ["/stream", "/crm/activation/stream/"])
def test_an_open_stream_ends_within_two_seconds_of_the_sign_out_everywhere(
    app, db, new_leads, server, new_person, sign_in, path
):
    ann = new_person("ann@example.com")
    first, second = sign_in(server), sign_in(server)
    if path.endswith("/"):
        new_leads(1)
        path += first.activate()
    streams = [program.get(path, stream=True) for program in (first, second)]
    for stream in streams:
        assert stream.status_code == 200
    lines = [stream.iter_lines() for stream in streams]
    for each in lines:
        assert next(each)
    sessions.end_all(db, ann.key)
    began = time.monotonic()
    for each in lines:
        for _ in each:
            pass
    assert time.monotonic() - began < 2


def test_a_disabled_users_poll_and_stream_end_at_once(db, program, admin, new_leads):
    new_leads(1)
    session_id = program.activate()
    path = f"/crm/activation/progress/{session_id}"
    assert program.get(path).status_code == 200
    db.users.update_one({"_id": admin.key}, {"$set": {"status": "disabled"}})
    began = time.monotonic()
    until(lambda: program.get(path).status_code == 401, 2, "the poll ends within 2 s")
    assert time.monotonic() - began < 2
    wanted = {"stream": True, "headers": {"Accept": "text/event-stream"}}
    until(lambda: program.get("/stream", **wanted).status_code == 401, 2)


def test_one_session_is_ended_and_the_others_go_on(ann, db, site, admin, api):
    browser = next(row for row in sessions.of_user(db, admin.key) if row["kind"] == Kind.BROWSER)
    with site.app_context():
        assert sessions.end(db, admin.key, browser["_id"])
    until(lambda: ann.get_json("/crm/leads").status_code == 401, 2)
    assert api.get("/crm/leads").status_code == 200


def test_nobody_ends_a_session_of_somebody_else(ann, db, site, new_person, admin):
    bob = new_person("bob@example.com")
    row = sessions.of_user(db, admin.key)[0]
    with site.app_context():
        assert not sessions.end(db, bob.key, row["_id"])
    assert ann.get_json("/crm/leads").status_code == 200


def test_signing_out_ends_the_session_also_for_a_copy_of_its_cookie(ann, site, db, admin):
    with ann.client.session_transaction() as cookie:
        copied = dict(cookie)
    ann.submit("/logout", page="/crm/leads")
    assert sessions.of_user(db, admin.key) == []
    thief = site.test_client()
    with thief.session_transaction() as cookie:
        cookie.update(copied)
    until(lambda: thief.get("/crm/leads", headers={"Accept": JSON}).status_code == 401, 2)


def test_a_session_that_has_lasted_too_long_lets_nobody_in(ann, db, admin):
    db.sessions.update_many({}, {"$set": {"expireAt": now()}})
    until(lambda: ann.get_json("/crm/leads").status_code == 401, 2)


def test_an_api_token_works_until_it_is_revoked_and_only_its_hash_is_kept(site, db, admin):
    with site.app_context():
        text, token = api_tokens.create(db, admin, "nightly export", 30)
    bearer = {"Authorization": f"Bearer {text}"}
    program = site.test_client()
    assert program.get("/crm/leads", headers=bearer).status_code == 200
    kept = db.api_tokens.find_one()
    assert text not in str(kept)
    assert kept["lastAddress"] == "127.0.0.1"
    with site.app_context():
        assert api_tokens.revoke(db, admin.key, token["_id"])
    until(lambda: program.get("/crm/leads", headers=bearer).status_code == 401, 2)


@pytest.mark.parametrize(
    "change",
    [
        lambda db: db.api_tokens.update_one({}, {"$set": {"expiresAt": now()}}),
        lambda db: db.users.update_one({}, {"$set": {"status": "disabled"}}),
        lambda db: db.users.delete_one({}),
    ],
    ids=["expired", "disabled", "removed"],
)
def test_an_api_token_does_not_outlive_its_time_or_its_user(site, db, admin, change):
    with site.app_context():
        text, _ = api_tokens.create(db, admin, "nightly export", 30)
    change(db)
    bearer = {"Authorization": f"Bearer {text}"}
    assert site.test_client().get("/crm/leads", headers=bearer).status_code == 401


@pytest.mark.parametrize("text", ["crm_", "crm_x", "crm_" + "0" * 24, "x.y.z", "."])
def test_a_made_up_token_lets_nobody_in(site, admin, text):
    bearer = {"Authorization": f"Bearer {text}"}
    assert site.test_client().get("/crm/leads", headers=bearer).status_code == 401


@pytest.mark.parametrize(("proxies", "seen"), [("0", "127.0.0.1"), ("1", "203.0.113.9")])
def test_the_address_is_the_proxys_word_only_where_proxies_are_trusted(
    new_site, db, admin, proxies, seen
):
    site = new_site(TRUSTED_PROXIES=proxies)
    login = {"email": admin.email, "password": PASSWORD}
    said = {"X-Forwarded-For": "198.51.100.1, 203.0.113.9"}
    assert site.test_client().post("/api/login", json=login, headers=said).status_code == 200
    assert db.sessions.find_one()["address"] == seen
