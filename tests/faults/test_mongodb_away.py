"""MongoDB is stopped, or stands still: pages say so at once, nothing is lost, and everything goes on by itself."""

import signal
import threading
import time
from contextlib import suppress

import pytest
import requests

from tests.support.ledger import assert_adds_up, extra_mails
from tests.support.replica_set import ReplicaSet
from tests.support.waiting import until

AWAY_SECONDS = 20
LEADS = 2500
SENTENCE = "The database does not answer at the moment. Nothing was lost"
# What the first ones may wait for; those that come later do not wait.
FIRST_SECONDS, NEXT_SECONDS = 6, 1.5
PATHS = ["/crm/leads", "/crm/activation/active", "/crm/email-queue/status", "/crm/jobs", "/stream"]


@pytest.fixture(scope="module")
def own_mongod(tmp_path_factory):
    mongod = ReplicaSet(tmp_path_factory.mktemp("away"), size=1).start()
    yield mongod
    mongod.end()


@pytest.fixture
def environ(environ, own_mongod):
    environ["MONGODB_URI"] = own_mongod.new_uri()
    return environ


class Listener(threading.Thread):
    """Reads a stream in the background; `ended` once the server has closed it."""

    def __init__(self, program, path="/stream"):
        super().__init__(daemon=True)
        self.events = 0
        self._events = program.events(path)
        self.start()

    def run(self):
        with suppress(requests.RequestException):
            for _ in self._events:
                self.events += 1

    @property
    def ended(self):
        return not self.is_alive()


def assert_away(program, path, seconds):
    answer = program.http.get(program.url + path, timeout=seconds)
    assert answer.status_code == 503, (path, answer.text)
    assert answer.json()["msg"].startswith(SENTENCE)
    assert int(answer.headers["Retry-After"]) > 0


def test_it_is_stopped_for_a_while_in_the_middle_of_everything(
    db, own_mongod, smtp, new_server, admin, new_leads, sign_in
):
    """An activation, the mail of its first leads, an open stream and readers of pages."""
    new_leads(LEADS)
    server = new_server(
        WEB_CONCURRENCY="1",
        EMAIL_CONNECTIONS="4",
        EMAIL_LEASE_SECONDS="30",
        NOTIFY_AFTER_SECONDS="3600",
    )
    program = sign_in(server)
    listener = Listener(program)
    session_id = program.activate()
    until(lambda: db.events.find_one({"sessionId": session_id, "type": "sent"}))
    assert db.jobs.find_one({"_id": session_id})["counts"]["activated"] < LEADS

    (node,) = own_mongod.nodes
    node.signal(signal.SIGKILL)
    stopped_at = time.monotonic()
    assert_away(program, "/crm/leads", FIRST_SECONDS)
    for path in PATHS * 3:
        assert_away(program, path, NEXT_SECONDS)
    page = requests.get(
        server.url + "/login", timeout=NEXT_SECONDS, headers={"Accept": "text/html"}
    )
    assert page.status_code in (200, 503)
    assert requests.get(server.url + "/healthz", timeout=NEXT_SECONDS).ok
    assert requests.get(server.url + "/readyz", timeout=NEXT_SECONDS).status_code == 503
    until(lambda: time.monotonic() - stopped_at > AWAY_SECONDS, AWAY_SECONDS + 5)
    assert not listener.ended

    heard = listener.events
    node.start()
    until(lambda: program.get("/crm/leads").ok, what="pages are back")
    until(lambda: listener.events > heard, what="the stream goes on")
    until(lambda: program.progress(session_id)["completed"], 90, "the job has ended")
    assert_adds_up(db, session_id, LEADS)
    assert len(smtp.taken) == LEADS
    assert extra_mails(smtp) == {}
    assert db.jobs.find_one({"_id": session_id})["status"] == "completed"


def test_it_stands_still(db, own_mongod, new_server, admin, sign_in):
    server = new_server(WEB_CONCURRENCY="1")
    program = sign_in(server)
    listener = Listener(program)
    until(lambda: listener.events)
    (node,) = own_mongod.nodes
    node.signal(signal.SIGSTOP)
    try:
        assert_away(program, "/crm/leads", FIRST_SECONDS)
        for path in PATHS:
            assert_away(program, path, NEXT_SECONDS)
    finally:
        node.signal(signal.SIGCONT)
    until(lambda: program.get("/crm/leads").ok, what="pages are back")
    assert not listener.ended


UNCONFIRMED = {"code": 64, "errmsg": "not replicated in time", "errInfo": {"wtimeout": True}}
FAULTS = {
    "unconfirmed": {"writeConcernError": UNCONFIRMED},
    "confirmed too late": {"writeConcernError": {"code": 50, "errmsg": "exceeded time limit"}},
    "too slow": {"errorCode": 50},
    "steps down": {"errorCode": 189},
    "shuts down": {"errorCode": 91},
    "hangs up": {"closeConnection": True},
}


@pytest.fixture
def set_fault(own_mongod):
    """Has mongod answer every insert so, until the end of the test."""
    (node,) = own_mongod.nodes

    def set_fault(fault):
        data = {"failCommands": ["insert"], "appName": "crmapp", **fault}
        node.ask("configureFailPoint", "failCommand", mode="alwaysOn", data=data)

    yield set_fault
    node.ask("configureFailPoint", "failCommand", mode="off")


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_it_says_it_is_a_moment_to_wait(fault, new_leads, api, set_fault):
    (lead,) = new_leads(1)
    set_fault(FAULTS[fault])
    answer = api.post("/crm/journal", {"leadId": str(lead), "kind": "call", "text": "Hello"})
    assert answer.status_code == 503, answer.text
    assert int(answer.headers["Retry-After"]) > 0
    assert "in a few seconds." in answer.json["msg"]


def test_a_fault_of_ours_is_no_moment_to_wait(new_leads, api, set_fault):
    (lead,) = new_leads(1)
    set_fault({"errorCode": 8000})
    answer = api.post("/crm/journal", {"leadId": str(lead), "kind": "call", "text": "Hello"})
    assert answer.status_code == 500, answer.text
