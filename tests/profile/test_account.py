"""One's own account."""

from __future__ import annotations

import re

import pytest

from crmapp.accounts import sessions
from crmapp.accounts.sessions import Kind
from crmapp.accounts.users import Role
from tests.conftest import PASSWORD
from tests.support.waiting import until

NEW = "four more wet umbrellas"


@pytest.fixture
def uma(new_visitor, new_person):
    """A person who was a lead, signed in."""
    new_person("uma@example.com", Role.USER)
    visitor = new_visitor()
    visitor.sign_in("uma@example.com", PASSWORD)
    return visitor


def change_password(visitor, old, new, again=None):
    fields = {"password": old, "newPassword": new, "newPasswordAgain": again or new}
    return visitor.submit("/profile/password", page="/profile", **fields)


def test_everybody_has_an_account_page(uma, ann):
    for visitor, email in ((uma, "uma@example.com"), (ann, "ann@example.com")):
        page = visitor.get("/profile").get_data(as_text=True)
        assert email in page
        assert "this one" in page


def test_the_name_is_changed(ann, db):
    ann.submit("/profile", name="  Ann   Admin ")
    assert db.users.find_one({"email": "ann@example.com"})["name"] == "Ann Admin"
    page = ann.get("/profile").get_data(as_text=True)
    assert page.count("Ann Admin") == 2, "in the form and in the sidebar"
    refused = ann.submit("/profile", name=" ")
    assert refused.status_code == 422
    assert "Give it a name." in refused.get_data(as_text=True)


def test_a_new_password_ends_every_other_session_and_keeps_this_one(
    ann, new_visitor, site, admin, api
):
    other = new_visitor()
    other.sign_in(admin.email, PASSWORD)
    assert change_password(ann, PASSWORD, NEW).location == "/profile"
    assert ann.get_json("/profile").status_code == 200
    until(lambda: other.get_json("/profile").status_code == 401, 3)
    until(lambda: api.get("/crm/leads").status_code == 401, 3)
    login = {"email": admin.email, "password": NEW}
    assert site.test_client().post("/api/login", json=login).status_code == 200
    login["password"] = PASSWORD
    assert site.test_client().post("/api/login", json=login).status_code == 401


@pytest.mark.parametrize(
    ("old", "new", "again", "said"),
    [
        ("wrong", NEW, NEW, "not your present password"),
        (PASSWORD, "short", "short", "at least 10 characters"),
        (PASSWORD, NEW, NEW + "!", "differ"),
        (PASSWORD, "password123", "password123", "Many people use this password"),
        (PASSWORD, "ann@example.com", "ann@example.com", "mostly your name"),
    ],
)
def test_a_password_that_is_refused_says_why_and_changes_nothing(ann, db, old, new, again, said):
    before = db.users.find_one({"email": "ann@example.com"})["passwordHash"]
    answer = change_password(ann, old, new, again)
    assert answer.status_code == 422
    assert said in answer.get_data(as_text=True)
    assert db.users.find_one({"email": "ann@example.com"})["passwordHash"] == before
    assert ann.get_json("/profile").status_code == 200


def test_where_one_is_signed_in_and_how_to_end_it(ann, site, db, admin):
    with site.app_context():
        firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
        sessions.begin(db, admin, Kind.BROWSER, "192.0.2.7", firefox)
    there = ann.get_json("/profile").json["data"]["sessions"]
    other = next(row for row in there if not row["isThis"])
    assert (other["program"], other["address"]) == ("Firefox on Linux", "192.0.2.7")
    ann.submit(f"/profile/sessions/{other['id']}/end", page="/profile")
    there = ann.get_json("/profile").json["data"]["sessions"]
    assert [row["isThis"] for row in there] == [True]


def test_signing_out_everywhere_else_makes_no_session_last_longer(ann, new_visitor, admin, db):
    ends_at = db.sessions.find_one()["expireAt"]
    other = new_visitor()
    other.sign_in(admin.email, PASSWORD)
    ann.submit("/profile/sessions/end-others", page="/profile")
    until(lambda: other.get_json("/profile").status_code == 401, 3)
    assert ann.get_json("/profile").status_code == 200
    assert [row["expireAt"] for row in db.sessions.find()] == [ends_at]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/profile/password", {"password": PASSWORD, "newPassword": NEW, "newPasswordAgain": NEW}),
    ],
)
def test_a_program_goes_on_with_a_new_token(api, site, path, body):
    answer = api.post(path, body)
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
    until(lambda: api.get("/profile").status_code == 401, 3)
    api.headers["Authorization"] = f"Bearer {answer.json['data']['token']}"
    (session,) = api.get("/profile").json["data"]["sessions"]
    assert (session["kind"], session["isThis"]) == ("program", True)


def test_a_program_names_its_account_and_makes_tokens(api, db):
    assert api.patch("/profile", {"name": "Robot"}).status_code == 200
    assert api.get("/profile").json["data"]["user"]["name"] == "Robot"
    answer = api.post("/profile/tokens", {"name": "nightly", "days": 1})
    assert answer.status_code == 201
    made = answer.json["data"]
    api.headers["Authorization"] = f"Bearer {made['token']}"
    assert api.get("/crm/leads").status_code == 200
    assert made["token"] not in str(list(db.api_tokens.find()))


def test_there_are_only_so_many_tokens(api):
    tries = [api.post("/profile/tokens", {"name": "x"}).status_code for _ in range(21)]
    assert tries == [201] * 20 + [409]


@pytest.fixture
def token(ann):
    """A token that ann made on the page."""
    answer = ann.submit("/profile/tokens", page="/profile", name="nightly", days="30")
    assert answer.status_code == 201
    found = re.search(r'value="(crm_[^"]+)"', answer.get_data(as_text=True))
    assert found
    return found[1]


def test_a_token_is_shown_once_works_and_is_revoked(ann, site, token):
    assert token not in ann.get("/profile").get_data(as_text=True)
    program, bearer = site.test_client(), {"Authorization": f"Bearer {token}"}
    assert program.get("/crm/leads", headers=bearer).status_code == 200
    (kept,) = ann.get_json("/profile").json["data"]["tokens"]
    assert (kept["name"], kept["lastAddress"]) == ("nightly", "127.0.0.1")
    ann.submit(f"/profile/tokens/{kept['id']}/revoke", page="/profile")
    until(lambda: program.get("/crm/leads", headers=bearer).status_code == 401, 3)
    assert ann.get_json("/profile").json["data"]["tokens"] == []


def test_a_token_does_not_reach_the_account(site, token):
    program, bearer = site.test_client(), {"Authorization": f"Bearer {token}"}
    for path in ("/profile", "/profile/tokens", "/profile/sessions/end-others"):
        method = program.get if path == "/profile" else program.post
        assert method(path, headers=bearer, json={}).status_code == 403


@pytest.mark.parametrize(
    "fields", [{"name": "", "days": "9"}, {"name": "x", "days": "0"}, {"name": "x", "days": "366"}]
)
def test_a_token_that_cannot_be_is_refused(ann, db, fields):
    answer = ann.submit("/profile/tokens", page="/profile", **fields)
    assert answer.status_code == 422
    assert "field-error" in answer.get_data(as_text=True)
    assert db.api_tokens.count_documents({}) == 0


def test_the_present_password_is_not_found_by_trying(ann):
    statuses = [change_password(ann, f"guess {number}", NEW).status_code for number in range(11)]
    assert statuses == [422] * 10 + [429]
