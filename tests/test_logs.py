"""Every process writes one line per record, with the request's id and without secrets; a request has one line."""

import json
import logging
import re
import sys
import threading
import warnings
from datetime import datetime

import pytest

from crmapp import logs
from crmapp.accounts.tokens import sign_invitation
from crmapp.logs import JSONLine, TextLine, request_id
from tests.conftest import PASSWORD


@pytest.fixture(autouse=True)
def outside_of_requests():
    """A test whose answers were not read to their end leaves the last one's request."""
    request_id.set("")


def record(message, *args, level=logging.WARNING, error=None, **fields):
    made = logging.LogRecord("crmapp.some.part", level, "x.py", 1, message, args, error)
    if fields:
        made.fields = fields
    return made


def read_text(line):
    """As a log collector reads key=value."""
    pairs = re.findall(r'([A-Za-z]+)=("(?:[^"\\]|\\.)*"|[^ "]+)(?: |$)', line)
    return {key: json.loads(value) if value[0] == '"' else value for key, value in pairs}


FORMATS = [(TextLine(), read_text), (JSONLine(), json.loads)]
each_format = pytest.mark.parametrize(("form", "read"), FORMATS, ids=["text", "json"])
TRICKY = [
    "two\nlines\r\nand more",
    'quoted "words" and \\ back',
    "a=b",
    "\x1b[31mred\x85\u2028\u2029",
    "Grüße, 世界",
    "",
]


@each_format
@pytest.mark.parametrize("message", TRICKY)
def test_a_record_is_one_line_that_reads_back(form, read, message):
    line = form.format(record("%s", message, path=message, ms=1.5))
    assert len(line.splitlines()) == 1
    assert line.isprintable()
    values = read(line)
    assert (values["message"], values["path"], str(values["ms"])) == (message, message, "1.5")
    assert (values["level"], values["logger"]) == ("warning", "crmapp.some.part")
    assert int(values["pid"]) > 1
    assert datetime.fromisoformat(values["time"]).utcoffset().total_seconds() == 0
    assert "requestId" not in values


@each_format
def test_a_fault_is_one_line_with_its_whole_trace(form, read):
    try:
        raise RuntimeError("the reason")
    except RuntimeError:
        line = form.format(record("it failed", error=sys.exc_info()))
    assert len(line.splitlines()) == 1
    error = read(line)["error"]
    assert error.startswith("Traceback (most recent call last):\n")
    assert error.endswith("RuntimeError: the reason")


@pytest.fixture
def configured(monkeypatch):
    """As in a process of its own."""
    for name in ("_srcfile", "logThreads", "logMultiprocessing"):
        monkeypatch.setattr(logging, name, getattr(logging, name))
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    logs.config(logs.TEXT)
    yield
    logging.captureWarnings(False)


def test_what_python_itself_would_print_is_a_record(configured, caplog):
    def fail():
        raise RuntimeError("the reason")

    thread = threading.Thread(target=fail, name="some loop")
    thread.start()
    thread.join()
    warnings.warn("that is old", DeprecationWarning, stacklevel=1)
    died, warned = caplog.records
    assert died.getMessage() == "the thread some loop failed"
    assert "RuntimeError: the reason" in TextLine().format(died)
    assert "that is old" in warned.getMessage()


SECRETS = [
    ("GET /invitation/SECRET", "GET /invitation/***"),
    ("POST /invitation/SECRET/renew", "POST /invitation/***/renew"),
    ("GET /password/SECRET?x=1", "GET /password/***?x=1"),
    ("Authorization: Bearer SECRET", "Authorization: Bearer ***"),
    ("token crm_SECRETSECRETSECRET was used", "token *** was used"),
    ("mongodb://ann:SECRET@db.example.com/crm", "mongodb://***@db.example.com/crm"),
]


@each_format
@pytest.mark.parametrize(("message", "written"), SECRETS)
def test_no_line_holds_what_lets_somebody_in(form, read, message, written):
    line = form.format(record(message, path=message))
    assert "SECRET" not in line
    assert (read(line)["message"], read(line)["path"]) == (written, written)


@pytest.fixture
def access_lines(caplog):
    """The fields of the requests so far, which end when their answers have left."""
    caplog.set_level(logging.INFO, logger="crmapp.access_log")
    return lambda: [made.fields for made in caplog.records if made.name == "crmapp.access_log"]


def test_a_request_has_one_line_without_its_query(site, ann, admin, access_lines):
    answer = ann.client.get("/crm/leads?q=hunter2", buffered=True)
    assert answer.status_code == 200
    *_, line = access_lines()
    assert line.pop("ms") > 0
    assert line == {
        "method": "GET",
        "path": "/crm/leads",
        "status": 200,
        "userId": admin.id,
        "address": "127.0.0.1",
    }


def test_strangers_files_and_refusals_have_their_lines_too(visitor, access_lines):
    asked = [("GET", "/healthz"), ("GET", "/static/js/app.js"), ("HEAD", "/login")]
    asked += [("GET", "/nothing"), ("DELETE", "/login"), ("GET", "/crm/leads")]
    for method, path in asked:
        visitor.client.open(path, method=method, buffered=True)
    told = [
        (line["method"], line["path"], line["status"], "userId" in line) for line in access_lines()
    ]
    statuses = (200, 200, 200, 404, 405, 401)
    assert told == [
        (*request, status, False) for request, status in zip(asked, statuses, strict=True)
    ]


def test_the_address_is_that_behind_the_proxies(new_site, db, access_lines):
    client = new_site(TRUSTED_PROXIES="1").test_client()
    client.get("/healthz", headers={"X-Forwarded-For": "203.0.113.7"}, buffered=True)
    assert access_lines()[-1]["address"] == "203.0.113.7"


def test_a_stream_has_its_line_at_its_end(site, ann, access_lines):
    answer = ann.client.get("/stream", headers={"Accept": "text/event-stream"})
    assert answer.status_code == 200
    assert [line for line in access_lines() if line["path"] == "/stream"] == []
    answer.close()
    (line,) = [line for line in access_lines() if line["path"] == "/stream"]
    assert line["status"] == 200


GIVEN = [
    ("4bf92f3577b34da6a3ce929d0e0e4736", True),
    ("Root=1-67891233-abcdef012345678912345678", True),
    ("short", False),
    ("x" * 65, False),
    ("no spaces here", False),
    ("<script>alert(1)</script>", False),
    ("ünïcödé-request", False),
]


@pytest.mark.parametrize(("given", "is_taken"), GIVEN)
def test_a_request_keeps_a_sane_id_and_else_gets_one(visitor, given, is_taken):
    answer = visitor.client.get(
        "/nothing", headers={"X-Request-ID": given.encode().decode("latin-1")}
    )
    told = answer.headers.getlist("X-Request-ID")
    assert told == [given] if is_taken else re.fullmatch("[0-9a-f]{16}", told[0])


def test_each_request_has_an_id_of_its_own(visitor):
    paths = ["/healthz", "/static/js/app.js", "/nothing", "/crm/leads", "/login", "/login"]
    ids = [visitor.get(path).headers["X-Request-ID"] for path in paths]
    assert len(set(ids)) == len(paths)


def test_every_line_of_a_request_has_its_id_and_those_outside_have_none(new_site, db):
    site = new_site()
    seen = []

    def view():
        logging.getLogger("crmapp.test").warning("inside")
        seen.append(read_text(TextLine().format(record("inside"))))
        return "ok"

    site.add_url_rule("/view", view_func=view)
    answer = site.test_client().get("/view", buffered=True)
    assert seen[0]["requestId"] == answer.headers["X-Request-ID"]
    assert "requestId" not in read_text(TextLine().format(record("outside")))
    assert request_id.get() == ""


def test_a_fault_is_found_by_the_id_of_its_answer(new_site, db, caplog):
    site = new_site()
    site.add_url_rule("/failing", view_func=lambda: 1 / 0)
    for accept in ("text/html", "application/json"):
        answer = site.test_client().get("/failing", headers={"Accept": accept})
        assert answer.status_code == 500
        asked = answer.headers["X-Request-ID"]
        assert f"report fault {asked}." in answer.text
        assert f"fault {asked} at GET /failing" in caplog.text
    assert answer.json["requestId"] == asked


def test_a_link_stays_out_of_the_access_line(site, visitor, access_lines, new_person):
    with site.app_context():
        token = sign_invitation(new_person("ivy@example.com").key, "nonce")
    visitor.client.get(f"/invitation/{token}", buffered=True)
    fields = access_lines()[-1]
    for form, _ in FORMATS:
        line = form.format(record("request", **fields))
        assert token not in line
        assert "/invitation/***" in line


def test_a_refused_sign_in_leaves_no_password_in_the_log(visitor, admin, caplog):
    caplog.set_level(logging.DEBUG, logger="crmapp")
    form = {"csrf_token": visitor.csrf_token(), "email": admin.email}
    for password, status in (("not " + PASSWORD, 401), (PASSWORD, 302)):
        answer = visitor.client.post("/login", data={**form, "password": password}, buffered=True)
        assert answer.status_code == status
    written = [TextLine().format(made) for made in caplog.records]
    assert [line for line in written if "path=/login" in line and f"userId={admin.id}" in line]
    assert not [line for line in written if PASSWORD in line]
