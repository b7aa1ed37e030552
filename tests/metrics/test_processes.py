"""A real gunicorn with two worker processes: whichever is asked, the numbers are those of both."""

import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

from config import Settings
from crmapp.accounts import passwords, sessions, users
from crmapp.accounts.users import Role
from crmapp.app import create_app
from tests.conftest import PASSWORD
from tests.metrics.reading import BEARER, TOKEN, Metrics
from tests.support.alone import own_database, own_environ
from tests.support.server import Program, Server
from tests.support.waiting import until

HEALTHY = {"endpoint": "health.alive", "method": "GET", "status": "200"}


class Site:
    def __init__(self, server: Server, db) -> None:
        self.server = server
        self.db = db

    def lines(self):
        """Every line of the log, which has to be JSON."""
        return [json.loads(line) for line in self.server.log.read_text().splitlines()]

    def requests(self, path):
        return [line for line in self.lines() if line.get("path") == path]

    def metrics(self):
        """Each time over a connection of its own, so from whichever worker takes it."""
        answer = requests.get(self.server.url + "/metrics", headers=BEARER, timeout=30)
        assert answer.status_code == 200
        return Metrics(answer.text)

    def asked(self, path="/healthz", times=1, **headers):
        with ThreadPoolExecutor(8) as pool:
            ask = lambda _: requests.get(self.server.url + path, headers=headers, timeout=30)  # noqa: E731
            return list(pool.map(ask, range(times)))


@pytest.fixture(scope="module")
def served(parts, tmp_path_factory):
    log = tmp_path_factory.mktemp("metrics") / "server.log"
    more = {"METRICS_TOKEN": TOKEN, "LOG_FORMAT": "json", "WEB_CONCURRENCY": "2", "MAIL_PORT": "1"}
    with own_environ(parts) as environ, own_database(environ) as db:
        server = Server(environ | more, log).start()
        person = users.new_user("ann@example.com", "Ann", Role.ADMIN)
        person |= {"passwordHash": passwords.hash_password(PASSWORD), "status": "active"}
        db.users.insert_one(person)
        yield Site(server, db)
        server.kill()


@pytest.fixture(scope="module")
def program(served):
    return Program(served.server.url, "ann@example.com", PASSWORD)


def ask_both(served, path="/healthz", **headers):
    """Ask until each worker process has answered. Returns every answer, when its end is in the log."""
    before, answers = len(served.requests(path)), []

    def both_have_answered():
        answers.extend(served.asked(path, 8, **headers))
        until(lambda: len(served.requests(path)) == before + len(answers))
        return len({line["pid"] for line in served.requests(path)[before:]}) == 2

    until(both_have_answered)
    return answers


def test_requests_are_counted_over_both_processes(served):
    before = served.metrics()("crmapp_request_seconds_count", **HEALTHY) or 0
    count = before + len(ask_both(served))
    for answer in ask_both(served, "/metrics", **BEARER):
        told = Metrics(answer.text)
        assert told("crmapp_request_seconds_count", **HEALTHY) == count
        assert told("crmapp_request_seconds_bucket", le="+Inf", **HEALTHY) == count
        assert told("crmapp_workers_alive") == 2


def test_readers_are_counted_over_both_and_leave_with_their_streams(served, program):
    with ExitStack() as stack:
        for _ in range(8):
            stream = program.get("/stream", stream=True, headers={"Accept": "text/event-stream"})
            stack.enter_context(stream)
            assert stream.status_code == 200
        for answer in ask_both(served, "/metrics", **BEARER):
            assert Metrics(answer.text)("crmapp_stream_readers") == 8
        assert served.requests("/stream") == []
        app = create_app(Settings.from_environ(served.server.environ))
        ann = served.db.users.find_one({"email": "ann@example.com"})
        with app.app_context():
            sessions.end_all(app.extensions["database"], ann["_id"])
        app.extensions["database"].client.close()
        until(lambda: served.metrics()("crmapp_stream_readers") == 0, 10)
    lines = until(lambda: len(found := served.requests("/stream")) == 8 and found)
    assert {line["userId"] for line in lines} == {str(ann["_id"])}
    assert len({line["requestId"] for line in lines}) == 8
    assert (
        served.metrics()(
            "crmapp_request_seconds_count", endpoint="streams.stream", method="GET", status="200"
        )
        is None
    )


def test_a_killed_process_takes_its_readers_along_and_leaves_what_it_counted(served):
    program = Program(served.server.url, "ann@example.com", PASSWORD)
    ask_both(served)
    with ExitStack() as stack:
        for _ in range(8):
            stream = program.get("/stream", stream=True, headers={"Accept": "text/event-stream"})
            stack.enter_context(stream)
        assert served.metrics()("crmapp_stream_readers") == 8
        counted = served.metrics()("crmapp_request_seconds_count", **HEALTHY)
        for pid in served.server.worker_pids():
            os.kill(pid, signal.SIGKILL)
        until(lambda: served.server.is_ready() and len(served.server.worker_pids()) == 2)
        told = served.metrics()
    assert told("crmapp_stream_readers") == 0
    assert told("crmapp_request_seconds_count", **HEALTHY) == counted


def test_every_line_is_one_record_also_gunicorns_own(served):
    (answer,) = served.asked("/nothing?password=hunter2", **{"X-Request-ID": "proxy-0001"})
    assert answer.headers["X-Request-ID"] == "proxy-0001"
    until(lambda: served.requests("/nothing"))
    assert [line["requestId"] for line in served.requests("/nothing")] == ["proxy-0001"]
    lines = served.lines()
    assert {"time", "level", "logger", "pid", "message"} <= set.intersection(*map(set, lines))
    booted = [line for line in lines if line["message"].startswith("Booting worker")]
    assert {line["logger"] for line in booted} == {"gunicorn.error"}
    assert "hunter2" not in served.server.log.read_text()
    assert PASSWORD not in served.server.log.read_text()
    assert served.requests("/api/login")


def test_a_new_gunicorn_begins_at_zero(served):
    """The last, because it is another gunicorn on the same port."""
    kept = Path(served.server.environ["DATA_DIR"]) / "metrics" / str(served.server.port)
    ask_both(served)
    served.server.stop()
    assert list(kept.glob("histogram_*.db"))
    served.server.start()
    told = served.metrics()
    assert told("crmapp_request_seconds_count", **HEALTHY) is None
    assert told("crmapp_stream_readers") == 0
