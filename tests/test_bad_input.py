"""What cannot be used is refused with a sentence and a fitting status, and nothing is written."""

import io
import json
import re
from urllib.parse import quote

import pytest
from bson import ObjectId

from crmapp.accounts.users import Role
from tests.conftest import PASSWORD
from tests.support.visitor import Visitor

ACTIVATE, PREVIEW = "/crm/leads/activate", "/crm/leads/activate/preview"
UNKNOWN = str(ObjectId())
NUL, HALF_A_PAIR = "a\0b", "a\ud800"

SELECTIONS = [
    ({}, 400, "Send one of leadIds"),
    ({"leadIds": [UNKNOWN], "filter": {}}, 400, "Send one of leadIds"),
    ({"leadIds": []}, 400, "select at least one lead"),
    ({"leadIds": UNKNOWN}, 400, "must be a list of ids"),
    ({"leadIds": None}, 400, "must be a list of ids"),
    ({"leadIds": {"$ne": None}}, 400, "must be a list of ids"),
    ({"leadIds": ["nonsense"]}, 400, "'nonsense', which is not the id of a lead"),
    ({"leadIds": [UNKNOWN, 5]}, 400, "not the id of a lead"),
    ({"leadIds": [{"$ne": None}]}, 400, "not the id of a lead"),
    ({"leadIds": [NUL]}, 400, "not the id of a lead"),
    ({"leadIds": ["x" * 100_000]}, 400, "not the id of a lead"),
    ({"leadIds": [UNKNOWN] * 100_001}, 413, "use a filter instead"),
    ({"leadIds": [UNKNOWN]}, 422, "None of the selected leads exists any more"),
    ({"filter": None}, 400, "filter must be an object"),
    ({"filter": ["q"]}, 400, "filter must be an object"),
    ({"filter": {"nosuch": "1"}}, 400, "There is no filter 'nosuch'"),
    ({"filter": {"$where": "sleep(1000)"}}, 400, "There is no filter '$where'"),
    ({"filter": {HALF_A_PAIR: "1"}}, 400, "There is no filter"),
    ({"filter": {"status": {"$ne": None}}}, 400, "status must be text"),
    ({"filter": {"q": {"$regex": ".*"}}}, 400, "q must be text"),
    ({"filter": {"q": 5}}, 400, "q must be text"),
    ({"filter": {"q": NUL}}, 400, "q holds a character"),
    ({"filter": {"q": HALF_A_PAIR}}, 400, "q holds a character"),
    ({"filter": {"q": "x" * 201}}, 400, "q is longer than 200 characters"),
    ({"filter": {"agent": "me"}}, 400, "agent must be the id of a user"),
    ({"filter": {"from": "yesterday"}}, 400, "from must be a day"),
    ({"filter": {"from": "2026-02-30"}}, 400, "from must be a day"),
    ({"filter": {"to": "9999-12-31"}}, 400, "to must be a day"),
    ({"filter": {"q": "nobody is called this"}}, 422, "No lead matches this filter"),
]
SESSION_IDS = [
    "nonsense",
    "activation_5_abcd",
    "activation_1700000000000_",
    "activation_1700000000000_../../etc",
    "sync_1700000000000_abcd",
    "activation_1700000000000_" + "a" * 41,
    "x" * 1000,
    "activation_1700000000000_ab\0cd",
    {"$ne": None},
    ["activation_1700000000000_abcd"],
    5,
]
BODIES = [
    (b"", "application/json", 400, "must be a JSON object"),
    (b"{", "application/json", 400, "must be a JSON object"),
    (b"[]", "application/json", 400, "must be a JSON object"),
    (b'"text"', "application/json", 400, "must be a JSON object"),
    (b"null", "application/json", 400, "must be a JSON object"),
    (b'{"filter": {"q": "\xff"}}', "application/json", 400, "must be a JSON object"),
    (b"[" * 100_000, "application/json", 400, "must be a JSON object"),
    (b'{"filter": {}}', "text/plain", 415, "Content-Type application/json"),
    (b"filter=1", "application/x-www-form-urlencoded", 415, "Content-Type application/json"),
]
PAGES = [
    "nosuch=1",
    "page=0",
    "page=-1",
    "page=one",
    "page=99999999999999999999",
    "pageSize=0",
    "pageSize=201",
    "sort=nosuch",
    "sort=$where",
    "from=31.1.2026",
    "q=%00",
    "q=" + "x" * 201,
    "status=" + "x" * 2000,
    "agent=me",
]


def contents(db):
    """All but when somebody was seen, which every request notes."""
    names = sorted(db.list_collection_names())
    return {name: list(db[name].find({}, {"lastSeenAt": 0, "online": 0})) for name in names}


@pytest.fixture
def nothing_is_written(db, new_leads):
    """Compares every document before and after the test; named after the fixtures that write."""
    new_leads(2)
    before = contents(db)
    yield
    assert contents(db) == before


def assert_refused(answer, status, words, case=""):
    text = answer.text
    assert answer.status_code == status, f"{case}: {answer.status_code} {text[:300]}"
    body = answer.json if not callable(answer.json) else answer.json()
    assert body["success"] is False, case
    assert set(body) == {"success", "msg"}, case
    assert words in body["msg"], f"{case}: {body['msg']}"
    assert len(body["msg"].split()) >= 3, case
    assert len(body["msg"]) < 500, case
    assert "Traceback" not in text, case


def test_a_selection_that_means_nothing(api, nothing_is_written):
    for body, status, words in SELECTIONS:
        for path in (ACTIVATE, PREVIEW):
            assert_refused(api.post(path, body), status, words, f"{path} {str(body)[:80]}")


def test_a_session_id_that_is_none(api, nothing_is_written):
    for session_id in SESSION_IDS:
        answer = api.post(ACTIVATE, {"filter": {}, "sessionId": session_id})
        assert_refused(answer, 400, "sessionId", str(session_id)[:50])


def test_a_body_that_is_not_json(api, nothing_is_written):
    for data, type, status, words in BODIES:
        for path in (ACTIVATE, PREVIEW):
            answer = api.post(path, data=data, content_type=type)
            assert_refused(answer, status, words, f"{path} {data[:30]!r}")


def test_a_page_that_there_cannot_be(api, nothing_is_written):
    for query in PAGES:
        assert_refused(api.get(f"/crm/leads?{query}"), 400, "", query[:40])


def test_a_page_that_there_cannot_be_is_refused_to_people_too(ann):
    answer = ann.get("/crm/leads?page=0")
    assert answer.status_code == 400
    assert "page must be a whole number from 1 to" in answer.get_data(as_text=True)


def test_a_session_that_there_cannot_be(api, nothing_is_written):
    ids = [
        "nonsense",
        UNKNOWN,
        "..",
        "..%2F..%2Fconfig.py",
        "%00",
        "$ne",
        "x" * 3000,
        "%F0%9F%98%80",
    ]
    for session_id in ids:
        for path in ("progress", "stream"):
            assert_refused(
                api.get(f"/crm/activation/{path}/{session_id}"), 404, "", session_id[:40]
            )


def test_a_search_is_literal_text(api, new_leads):
    names = ["(a+)+$", ".*", "[", "\\", "^$|", "a" * 40]
    for name in names:
        new_leads(1, name=name)
    for name in names:
        found = api.get(f"/crm/leads?q={quote(name)}").json["data"]["items"]
        assert [lead["name"] for lead in found] == [name]


def test_signing_in_with_what_is_no_text(site):
    bad = [({"$ne": None}, "must be text"), (["a"], "must be text"), (5, "must be text")]
    bad += [(NUL, "character"), (HALF_A_PAIR, "character"), ("x" * 501, "longer than")]
    client = site.test_client()
    for value, words in bad:
        for name in ("email", "password"):
            body = {"email": "ann@example.com", "password": "x", name: value}
            answer = client.post(
                "/api/login", data=json.dumps(body), content_type="application/json"
            )
            assert_refused(answer, 400, words, f"{name} {str(value)[:20]}")
            assert name in answer.json["msg"]
            # A refusal counts as an attempt, and these are many.
            site.extensions["live"].redis.flushdb()
    assert_refused(client.post("/api/login", data="x", content_type="text/plain"), 415, "JSON")
    assert_refused(
        client.post("/api/login", data="[" * 100_000, content_type="application/json"), 400, "JSON"
    )


def test_a_file_that_is_not_csv(api, nothing_is_written):
    def upload(content, field="file", name="leads.csv"):
        data = {field: (io.BytesIO(content), name)}
        return api.post("/crm/leads/import", data=data, content_type="multipart/form-data")

    picture = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)) * 20
    spreadsheet = b"PK\x03\x04\x14\0\x06\0\x08\0" + bytes(500)
    for content in (picture, spreadsheet, b"", b"%PDF-1.7\nno headings here\n"):
        assert_refused(upload(content), 415, "", repr(content[:10]))
    assert_refused(
        upload(b"Name,Email\nAnn,ann@x.com\n", field="upload"), 400, "in the field `file`"
    )
    assert_refused(api.post("/crm/leads/import"), 400, "multipart/form-data")
    raw = api.post("/crm/leads/import", data=b"Name,Email\nAnn,a@x.com\n", content_type="text/csv")
    assert_refused(raw, 400, "multipart/form-data")


def test_50_mb_are_refused_by_the_server(db, new_server, admin, sign_in):
    program = sign_in(new_server(RUN_WORKERS="0"))
    before = contents(db)
    much = b"x" * 50_000_000
    body = b'{"filter": {"q": "' + much + b'"}}'
    answer = program.post(ACTIVATE, data=body, headers={"Content-Type": "application/json"})
    assert_refused(answer, 413, "32 MB is the most")
    file = program.post("/crm/leads/import", files={"file": ("leads.csv", io.BytesIO(much))})
    assert_refused(file, 413, "32 MB is the most")
    assert contents(db) == before


def test_a_form_that_is_too_large(ann, nothing_is_written):
    token = ann.csrf_token("/crm/leads")
    for path in ("/login", "/logout", "/crm/leads/import"):
        answer = ann.client.post(
            path,
            data=b"csrf_token=" + b"x" * 34_000_000,
            content_type="application/x-www-form-urlencoded",
            headers={"Accept": "text/html"},
        )
        assert answer.status_code == 413
        assert "Split the file" in answer.get_data(as_text=True)
    assert ann.csrf_token("/crm/leads")[:20] == token[:20]


def test_a_wrong_method(api, ann, new_visitor, nothing_is_written):
    wrong = [("PUT", ACTIVATE), ("GET", ACTIVATE), ("DELETE", "/crm/leads"), ("POST", "/stream")]
    wrong += [
        ("POST", "/crm/activation/active"),
        ("GET", "/api/login"),
    ]
    for method, path in wrong:
        answer = api.client.open(path, method=method, headers=api.headers)
        assert_refused(answer, 405, "does not take such a request", f"{method} {path}")
        assert answer.headers["Allow"]
    for browser in (new_visitor(), ann):
        assert browser.client.delete("/login").status_code == 405


def test_names_that_lead_out_of_their_folder(new_site, new_person):
    site = new_site(MAIL_SERVER="", MAIL_PORT="")
    visitor = Visitor(site)
    visitor.sign_in(new_person("root@example.com", Role.SUPERADMIN).email, PASSWORD)
    assert visitor.get("/local/mail").status_code == 200
    for way_out in (
        "../../secret_key",
        "..%2F..%2Fsecret_key",
        "%2Fetc%2Fpasswd",
        "..",
        "x%00",
        "1.P1Q1.local",
    ):
        for folder in ("/local/mail", "/static", "/bootstrap/static", "/invitation"):
            answer = visitor.client.get(f"{folder}/{way_out}", follow_redirects=True)
            assert answer.status_code in (404, 410), f"{folder}/{way_out}"
            assert site.secret_key.encode() not in answer.data
    assert visitor.get_json("/static/../__init__.py").status_code == 404
    assert visitor.get_json("/static/%2e%2e/__init__.py").status_code == 404


def test_every_change_takes_the_token_of_the_page(ann, site, nothing_is_written):
    changing = [
        (method, re.sub(r"<[^>]+>", "x" * 24, re.sub(r"<any\((\w+)[^>]*>", r"\1", rule.rule)))
        for rule in site.url_map.iter_rules()
        for method in rule.methods & {"POST", "PUT", "PATCH", "DELETE"}
        if rule.endpoint != "accounts.api_login"
    ]
    assert len(changing) >= 6
    forged = Visitor(site).csrf_token("/login")
    for method, path in changing:
        for headers in ({}, {"X-CSRFToken": "forged"}, {"X-CSRFToken": forged}):
            answer = ann.client.open(
                path, method=method, headers={"Accept": "application/json", **headers}
            )
            assert_refused(answer, 400, "reload the page", f"{method} {path} {headers}")
    assert ann.get_json("/crm/leads").status_code == 200
