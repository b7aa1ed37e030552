"""Signing in with the form and by program, and signing out."""

import pytest

from crmapp.accounts.passwords import hash_password
from tests.conftest import PASSWORD
from tests.support.visitor import Visitor


def api_login(site, email, password, **environ):
    return site.test_client().post(
        "/api/login", json={"email": email, "password": password}, environ_base=environ
    )


def test_the_form_begins_a_session_that_reaches_the_leads(visitor, admin):
    answer = visitor.sign_in("  Ann@Example.com ", PASSWORD)
    assert (answer.status_code, answer.location) == (302, "/crm")
    assert visitor.get("/crm/leads").status_code == 200


def test_the_cookie_is_kept_from_scripts_and_from_other_sites(visitor, admin):
    cookie = visitor.sign_in(admin.email, PASSWORD).headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/" in cookie


def test_nothing_of_the_session_before_is_carried_over(visitor, admin):
    planted = visitor.csrf_token("/login")
    with visitor.client.session_transaction() as session:
        session["planted"] = "by somebody who had this browser before"
    visitor.sign_in(admin.email, PASSWORD)
    with visitor.client.session_transaction() as session:
        assert "planted" not in session
    refused = visitor.client.post("/crm/leads/import", headers={"X-CSRFToken": planted})
    assert refused.status_code == 400
    assert "reload the page" in refused.json["msg"]


@pytest.mark.parametrize(
    ("target", "reached"),
    [
        ("/crm/leads?status=new&page=2", "/crm/leads?status=new&page=2"),
        ("", "/crm"),
        ("https://evil.example/", "/crm"),
        ("//evil.example/", "/crm"),
        ("/\\evil.example/", "/crm"),
        ("/\t/evil.example/", "/crm"),
        ("\\\\evil.example", "/crm"),
        ("javascript:alert(1)", "/crm"),
        ("crm/leads", "/crm"),
        ("//[", "/crm"),
    ],
)
def test_next_leads_only_to_a_path_of_this_site(visitor, admin, target, reached):
    assert visitor.sign_in(admin.email, PASSWORD, next=target).location == reached


def test_a_page_sends_a_stranger_to_sign_in_and_then_comes_back(visitor, admin):
    sent = visitor.get("/crm/leads?q=smith")
    assert sent.status_code == 302
    assert sent.location == "/login?next=/crm/leads?q%3Dsmith"
    form = visitor.get(sent.location).get_data(as_text=True)
    assert 'name="next" value="/crm/leads?q=smith"' in form


def test_a_program_gets_a_token_and_who_it_is(site, admin):
    answer = api_login(site, "ANN@example.com", PASSWORD)
    assert answer.status_code == 200
    assert answer.json["data"]["user"] == {
        "id": admin.id,
        "name": "Ann",
        "email": "ann@example.com",
        "role": "admin",
    }
    bearer = {"Authorization": f"Bearer {answer.json['data']['token']}"}
    assert site.test_client().get("/crm/leads", headers=bearer).json["data"]["total"] == 0
    assert "Set-Cookie" not in answer.headers


def test_a_token_that_was_changed_signs_nobody_in(site, admin):
    token = api_login(site, admin.email, PASSWORD).json["data"]["token"]
    for wrong in (token[:-2] + ("aa" if token[-2:] != "aa" else "bb"), "x", f"{admin.id}.1"):
        answer = site.test_client().get("/crm/leads", headers={"Authorization": f"Bearer {wrong}"})
        assert (answer.status_code, answer.json["success"]) == (401, False)


def test_blanks_around_a_password_belong_to_it(site, db, new_person):
    person = new_person("eve@example.com")
    hashed = hash_password(" spaced out ")
    db.users.update_one({"_id": person.key}, {"$set": {"passwordHash": hashed}})
    assert api_login(site, "eve@example.com", " spaced out ").status_code == 200
    assert Visitor(site).sign_in("eve@example.com", " spaced out ").status_code == 302
    assert api_login(site, "eve@example.com", "spaced out").status_code == 401


def test_a_stranger_does_not_learn_who_has_an_account(site, db, new_person):
    new_person("ann@example.com")
    disabled = new_person("dan@example.com")
    db.users.update_one({"_id": disabled.key}, {"$set": {"status": "disabled"}})
    attempts = [
        ("ann@example.com", "wrong-password"),
        ("nobody@example.com", "wrong-password"),
        ("no address", "wrong-password"),
        ("dan@example.com", PASSWORD),
        ("", ""),
    ]
    answers = [api_login(site, *attempt) for attempt in attempts]
    assert {answer.status_code for answer in answers} == {401}
    assert {answer.text for answer in answers} == {answers[0].text}
    assert answers[0].json == {
        "success": False,
        "msg": "That e-mail address and password do not go together.",
    }


def test_the_form_says_the_same_and_keeps_what_was_typed(visitor, admin):
    for email in (admin.email, "nobody@example.com"):
        answer = visitor.sign_in(email, "wrong-password", next="/crm/leads?page=2")
        page = answer.get_data(as_text=True)
        assert answer.status_code == 401
        assert "That e-mail address and password do not go together." in page
        assert f'value="{email}"' in page
        assert 'value="/crm/leads?page=2"' in page
        assert "wrong-password" not in page


def test_an_invited_user_without_a_password_cannot_sign_in(site, db, new_person):
    person = new_person("ivy@example.com")
    db.users.update_one({"_id": person.key}, {"$set": {"passwordHash": None, "status": "invited"}})
    assert api_login(site, "ivy@example.com", "").status_code == 401
    assert api_login(site, "ivy@example.com", "the password of nobody").status_code == 401


def test_signing_out(ann):
    assert ann.get("/crm/leads").status_code == 200
    answer = ann.submit("/logout", page="/crm/leads")
    assert (answer.status_code, answer.location) == (302, "/login")
    assert ann.get_json("/crm/leads").status_code == 401


def test_signing_out_takes_more_than_a_link(ann):
    assert ann.get("/logout").status_code == 405
    assert ann.client.post("/logout").status_code == 400
    assert ann.get("/crm/leads").status_code == 200
