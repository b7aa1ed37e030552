"""A replica set of three nodes changes its primary in the middle of an activation and of a mail drain."""

import os
import signal
import threading
from collections import Counter

import pytest
import requests
from pymongo.errors import PyMongoError

from tests.support.ledger import assert_adds_up, extra_mails
from tests.support.replica_set import ReplicaSet
from tests.support.waiting import until

ROUNDS = 10 if os.environ.get("CHAOS") else 1
LEADS = 3000 * ROUNDS
# Longer than any change of the primary here, so that no mail becomes somebody else's meanwhile.
LEASE_SECONDS = 20


@pytest.fixture(scope="module")
def own_mongod(tmp_path_factory):
    replica_set = ReplicaSet(tmp_path_factory.mktemp("nodes"), size=3).start()
    yield replica_set
    replica_set.end()


@pytest.fixture
def environ(environ, own_mongod):
    environ["MONGODB_URI"] = own_mongod.new_uri()
    return environ


class Asker(threading.Thread):
    """Asks for pages all the time, and counts the answers by their status."""

    def __init__(self, program):
        super().__init__(daemon=True)
        self.statuses = Counter()
        self._program = program
        self._stopped = threading.Event()
        self.start()

    def run(self):
        with requests.Session() as http:
            http.headers.update(self._program.http.headers)
            while not self._stopped.wait(timeout=0.1):
                for path in ("/crm/leads", "/crm/jobs", "/crm/email-queue/status"):
                    answer = http.get(self._program.url + path, timeout=30)
                    self.statuses[answer.status_code] += 1

    def stop(self):
        self._stopped.set()
        self.join()


def step_down(replica_set):
    replica_set.step_down()


def lose_power(replica_set):
    node = replica_set.wait()
    node.signal(signal.SIGKILL)
    replica_set.wait()
    node.start()


def stand_still(replica_set):
    """The primary wakes up when there is another one, and does not know yet."""
    node = replica_set.wait()
    node.signal(signal.SIGSTOP)
    replica_set.wait()
    node.signal(signal.SIGCONT)


def test_the_primary_changes_in_the_middle_of_everything(
    db, own_mongod, smtp, new_server, admin, new_leads, sign_in
):
    new_leads(LEADS)
    smtp.delay = 0.005
    server = new_server(
        EMAIL_CONNECTIONS="4",
        EMAIL_LEASE_SECONDS=str(LEASE_SECONDS),
        NOTIFY_AFTER_SECONDS="3600",
    )
    program = sign_in(server)
    asker = Asker(program)
    session_id = program.activate()

    def sent():
        try:
            return db.events.count_documents({"sessionId": session_id, "type": "sent"})
        except PyMongoError:
            return 0

    def went_on():
        """More mail has left since the last change."""
        until(lambda: sent() > before + 50, 60, "mail leaves")
        return until(sent)

    before = 0
    until(sent)
    assert db.jobs.find_one({"_id": session_id})["phase"] == "working"
    for _ in range(ROUNDS):
        for change in (step_down, lose_power, stand_still):
            change(own_mongod)
            before = went_on()
            assert before < LEADS, "it is in the middle"
    until(lambda: program.progress(session_id)["completed"], 120, "the job has ended")
    asker.stop()
    assert set(asker.statuses) <= {200, 503}, asker.statuses
    assert asker.statuses[200]
    assert_adds_up(db, session_id, LEADS)
    assert db.jobs.find_one({"_id": session_id})["status"] == "completed"
    assert len(smtp.taken) == LEADS
    assert extra_mails(smtp) == {}
