"""What every response says to keep a browser from doing harm."""

import re

import pytest

EVERYWHERE = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
ANSWERS = [
    ("/login", 200),
    ("/crm/leads", 200),
    ("/crm/activation/active", 200),
    ("/static/js/app.js", 200),
    ("/healthz", 200),
    ("/nothing/here", 404),
    ("/crm/leads?page=0", 400),
    ("/api/login", 405),
    ("/logout", 405),
]


def test_pages_programs_files_and_errors(ann, new_visitor):
    for path, status in ANSWERS:
        browser = new_visitor() if path == "/login" else ann
        for accept in ("text/html", "application/json"):
            answer = browser.get(path, Accept=accept)
            assert answer.status_code == status, path
            assert {name: answer.headers[name] for name in EVERYWHERE} == EVERYWHERE, path
            policy = dict(
                part.strip().split(" ", 1)
                for part in answer.headers["Content-Security-Policy"].split(";")
            )
            assert policy["default-src"] == "'self'"
            assert policy["object-src"] == policy["base-uri"] == "'none'"
            assert policy["frame-ancestors"] == "'none'"
            assert policy["form-action"] == "'self'"
            assert not set(policy) & {"script-src", "style-src"}
            assert "unsafe" not in answer.headers["Content-Security-Policy"]


def test_what_is_about_people_is_kept_by_no_cache(ann, new_visitor):
    for path in ("/crm/leads", "/crm/activation/active", "/crm/email-queue/status", "/nothing"):
        assert ann.get_json(path).headers["Cache-Control"] == "no-store", path
    assert new_visitor().get("/login").headers["Cache-Control"] == "no-store"
    assert "no-store" not in ann.get("/static/js/app.js").headers["Cache-Control"]


def test_https_is_kept_to_where_it_is_used(visitor):
    secure = visitor.client.get("/login", base_url="https://crm.example.com")
    assert secure.headers["Strict-Transport-Security"].startswith("max-age=")
    assert "Strict-Transport-Security" not in visitor.get("/login").headers


def test_with_an_https_address_the_cookie_goes_over_https_only(new_site, db):
    client = new_site(PUBLIC_URL="https://crm.example.com").test_client()
    cookie = client.get("/login", base_url="https://crm.example.com").headers["Set-Cookie"]
    assert "Secure" in cookie


def test_a_stream_is_not_held_back_by_a_proxy(program):
    with program.get("/stream", stream=True, headers={"Accept": "text/event-stream"}) as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        assert answer.headers["X-Accel-Buffering"] == "no"
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Content-Security-Policy" in answer.headers


@pytest.mark.parametrize("path", ["/crm/leads", "/welcome", "/nothing", "/invitation/damaged"])
def test_no_page_needs_what_the_policy_forbids(ann, new_leads, path):
    new_leads(2)
    page = ann.get(path).get_data(as_text=True)
    assert "</html>" in page
    assert re.findall(r"<script(?![^>]*\bsrc=)", page) == []
    assert re.findall(r"<style|\sstyle=|\son[a-z]+=|javascript:", page) == []
    assert re.findall(r'(?:src|href)="(?:https?:)?//', page) == []
