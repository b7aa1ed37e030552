"""Redis is stopped in the middle: nobody waits for it, and events come back when it does."""

import threading

from tests.support.ledger import assert_adds_up
from tests.support.waiting import until

LEADS = 1500


class Reader(threading.Thread):
    """Reads a stream to its end in the background."""

    def __init__(self, program, path):
        super().__init__(daemon=True)
        self.events = []
        self._events = program.events(path)
        self.start()

    def run(self):
        for event in self._events:
            self.events.append(event)

    def revs(self):
        return [int(rev) for _, rev, _ in self.events]


def test_redis_is_stopped_in_the_middle(
    db, smtp, own_valkey, new_server, admin, new_leads, sign_in
):
    new_leads(LEADS)
    smtp.delay = 0.01
    program = sign_in(new_server(EMAIL_CONNECTIONS="4"))
    session_id = program.activate()
    path = f"/crm/activation/stream/{session_id}"
    reader = Reader(program, path)
    until(lambda: len(reader.events) > 3)

    own_valkey.stop()
    own_valkey.wait_stopped()
    heard = len(reader.events)
    sent = program.progress(session_id)["emailsSent"]
    # The work goes on, and the poll shows it.
    until(lambda: program.progress(session_id)["emailsSent"] > sent + 100)
    assert len(reader.events) <= heard + 1
    # A page opened now has its snapshot at once.
    assert next(program.events(path))[0] == "progress"
    assert program.post("/crm/leads/activate/preview", {"filter": {}}).ok

    own_valkey.start()
    own_valkey.wait()
    until(lambda: len(reader.events) > heard + 1, what="events came back")
    reader.join(60)
    assert reader.events[-1][0] == "complete"
    assert reader.revs() == sorted(reader.revs())
    assert_adds_up(db, session_id, LEADS)
