"""Refusals and faults: a page for people, JSON for programs, never a stack trace."""

import re
import threading

import pytest
from flask import abort

from crmapp.accounts.users import Role
from tests.conftest import PASSWORD
from tests.support.smtp import free_port
from tests.support.visitor import JSON, PAGE

SECRET = "the password of the database is hunter2"


@pytest.fixture
def site(new_site, db):
    """One of this test's own, because views are added to it."""
    return new_site()


@pytest.fixture
def failing(site):
    """The path of a view with a fault. To be asked for before anything is requested."""

    def fail():
        raise RuntimeError(SECRET)

    site.add_url_rule("/failing", view_func=fail, methods=["GET", "POST"])
    return "/failing"


def page_of(answer):
    assert answer.content_type.startswith("text/html")
    text = answer.get_data(as_text=True)
    assert "</html>" in text
    assert "Traceback" not in text
    return text


def test_nothing_here(ann, new_visitor):
    for browser in (ann, new_visitor()):
        answer = browser.get("/nothing/here")
        assert answer.status_code == 404
        assert "There is nothing at this address." in page_of(answer)
        answer = browser.get_json("/nothing/here")
        assert (answer.status_code, answer.json) == (
            404,
            {"success": False, "msg": "There is nothing at this address."},
        )
    assert new_visitor().client.post("/nothing/here", json={}).status_code == 404


def test_not_for_you(visitor, new_person):
    new_person("uma@example.com", Role.USER)
    visitor.sign_in("uma@example.com", PASSWORD)
    answer = visitor.get("/crm/leads")
    assert answer.status_code == 403
    assert "Your account may not do this. Ask an administrator." in page_of(answer)
    assert "E-mail queue" not in page_of(answer)
    answer = visitor.get_json("/crm/leads")
    assert (answer.status_code, answer.json["success"]) == (403, False)


def test_a_fault_of_ours_is_told_by_its_number_only(failing, ann, caplog):
    answer = ann.get(failing)
    assert answer.status_code == 500
    page = page_of(answer)
    assert "Something went wrong on our side" in page
    answer = ann.get_json(failing)
    assert answer.status_code == 500
    assert answer.json["success"] is False
    for text in (page, answer.text):
        assert SECRET not in text
        assert "RuntimeError" not in text
    number = answer.json["msg"].split("fault ")[1].strip(".")
    assert f"fault {number} at GET /failing" in caplog.text
    assert SECRET in caplog.text


@pytest.fixture
def refusing(site):
    """A view that refuses with the status in its path."""

    def refuse(status):
        if status == 500:
            raise RuntimeError(SECRET)
        abort(status)

    site.add_url_rule("/refusing/<int:status>", view_func=refuse)


@pytest.mark.parametrize(
    ("status", "title", "what_to_do"),
    [
        (403, "Not for you", "Ask an administrator."),
        (404, "Nothing here", "Look for it with the search at the top."),
        (413, "Too large", "Split the file and send its parts."),
        (429, "Too many attempts", "Please wait a minute, then try again."),
        (500, "Our fault", "If it happens again, report fault "),
    ],
)
def test_pages_of_errors_say_what_to_do_and_lead_back(
    refusing, ann, caplog, status, title, what_to_do
):
    answer = ann.get(f"/refusing/{status}", Referer="http://localhost/crm/jobs?page=2")
    assert answer.status_code == status
    page = page_of(answer)
    assert f"<title>{title} · crmapp</title>" in page
    assert what_to_do in page
    assert re.search(r'href="/crm/jobs\?page=2">Go back</a>', page)
    # A fault may be that of the page's own frame.
    assert ('id="menu"' in page) == (status < 500)
    way = 'href="/">To the start' if status >= 500 else 'href="/crm">To the dashboard'
    assert way in page
    assert ("Try again</a>" in page) == (status >= 500)
    if status == 500:
        number = re.search(r"report fault (\w{16})\.", page)[1]
        assert f"fault {number} at GET /refusing/500" in caplog.text


@pytest.mark.parametrize(
    "came_from", ["", "https://evil.example/x", "http://localhost/refusing/404", "http://[", "junk"]
)
def test_back_is_only_another_page_of_this_site(refusing, ann, came_from):
    assert "Go back" not in page_of(ann.get("/refusing/404", Referer=came_from))


def test_a_fault_keeps_the_security_headers(failing, ann):
    answer = ann.get(failing)
    assert answer.status_code == 500
    assert "Content-Security-Policy" in answer.headers


def test_with_mongodb_away_there_is_a_sentence(site, ann, new_site, admin):
    with ann.client.session_transaction() as cookie:
        session = dict(cookie)
    away = new_site(MONGODB_URI=f"mongodb://127.0.0.1:{free_port()}/x?directConnection=true")
    asked = [("GET", "/crm/leads", PAGE), ("GET", "/crm/leads", JSON), ("GET", "/readyz", JSON)]
    asked += [
        ("GET", "/login", PAGE),
        ("GET", "/healthz", JSON),
        ("POST", "/crm/leads/import", JSON),
    ]
    answers = {}

    def ask(number, method, path, headers):
        client = away.test_client()
        with client.session_transaction() as cookie:
            cookie.update(session)
        answers[number] = client.open(path, method=method, headers=headers)

    threads = [threading.Thread(target=ask, args=(n, *request)) for n, request in enumerate(asked)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sentence = "The database does not answer at the moment. Nothing was lost"
    for number in (0, 3):
        assert answers[number].status_code == 503
        assert sentence in page_of(answers[number])
    for number in (1, 5):
        assert answers[number].status_code == 503
        assert answers[number].json["msg"].startswith(sentence)
    assert answers[2].status_code == 503
    assert answers[2].json["data"]["mongodb"] is False
    assert answers[4].status_code == 200
