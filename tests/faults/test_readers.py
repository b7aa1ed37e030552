"""300 stream readers at once, a third of them slow or deaf: everyone else gets every final state."""

import json
import os
import select
import socket
import time

from tests.support.waiting import until

READERS = 1000 if os.environ.get("CHAOS") else 300
SESSIONS = 5
LEADS = 200
MOST_GROWTH_KB = 60 * 1024


class Reader:
    """A browser's EventSource on a raw socket. A deaf one never reads, a slow one a few bytes at a time."""

    def __init__(self, program, path, kind):
        self.kind = kind
        self.heard = b""
        self.ended = False
        host, port = program.url.removeprefix("http://").split(":")
        self.socket = socket.create_connection((host, int(port)))
        if kind != "good":
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        self.socket.sendall(
            f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: text/event-stream\r\n"
            f"Authorization: {program.http.headers['Authorization']}\r\n\r\n".encode()
        )
        self.socket.setblocking(False)

    def read(self):
        if self.kind == "deaf":
            return
        try:
            data = self.socket.recv(16 if self.kind == "slow" else 65536)
        except BlockingIOError:
            return
        self.heard += data
        self.ended = self.ended or not data or data.endswith(b"0\r\n\r\n")

    def final(self):
        """The last completion it heard, by session."""
        events = self.heard.split(b"event:complete")[1:]
        bodies = [event.split(b"data:", 1)[1].split(b"\n", 1)[0] for event in events]
        return {body["sessionId"]: body for body in map(json.loads, bodies)}


def memory_kb(pids):
    sizes = []
    for pid in pids:
        with open(f"/proc/{pid}/status") as status:
            sizes.append(next(int(line.split()[1]) for line in status if line.startswith("VmRSS")))
    return sum(sizes)


def test_slow_and_deaf_readers_harm_nobody(db, smtp, new_server, admin, new_leads, sign_in):
    server = new_server()
    program = sign_in(server)
    smtp.stop()  # so that nothing ends before everybody listens
    selections = [new_leads(LEADS) for _ in range(SESSIONS)]
    sessions = [program.activate(leadIds=list(map(str, ids))) for ids in selections]
    memory = memory_kb(server.worker_pids())
    kinds = ["good", "good", "slow", "good", "good", "deaf"]
    readers = [
        Reader(
            program,
            "/stream" if number % 2 else f"/crm/activation/stream/{sessions[number % SESSIONS]}",
            kinds[number % len(kinds)],
        )
        for number in range(READERS)
    ]
    smtp.start()
    good = [reader for reader in readers if reader.kind == "good"]

    def everyone_has_the_end():
        ready, _, _ = select.select([r.socket for r in readers if not r.ended], [], [], 0.05)
        for reader in readers:
            if reader.socket in ready:
                reader.read()
        return all(r.ended or len(r.final()) == SESSIONS for r in good)

    until(everyone_has_the_end, 90)
    for reader in good:
        for session_id, last in reader.final().items():
            stored = program.progress(session_id)
            assert (last["rev"], last["emailsSent"]) == (stored["rev"], LEADS)
    assert memory_kb(server.worker_pids()) - memory < MOST_GROWTH_KB
    began = time.monotonic()
    server.stop()
    assert time.monotonic() - began < 5
    for reader in readers:
        reader.socket.close()


def test_a_clean_stop_gives_back_what_it_held(db, smtp, new_server, admin, new_leads, sign_in):
    """No lease has to lapse: the next server goes on at once, and no mail is left claimed."""
    smtp.delay = 0.05
    new_leads(300)
    server = new_server(JOB_LEASE_SECONDS="60", EMAIL_LEASE_SECONDS="60")
    session_id = sign_in(server).activate()
    until(lambda: db.events.count_documents({"sessionId": session_id}) > 10)
    server.stop()
    assert db.jobs.count_documents({"lease": {"$ne": None}}) == 0
    assert db.pending_emails.count_documents({"status": "processing"}) == 0
    server.start()
    until(lambda: db.jobs.find_one({"_id": session_id})["status"] == "completed", 40)
    assert {len(mails) for mails in smtp.taken.values()} == {1}


def test_a_stop_in_the_middle_ends_every_stream(db, smtp, new_server, admin, new_leads, sign_in):
    """Readers that events are on the way to, and deaf ones, do not keep a server from ending."""
    smtp.delay = 0.02
    new_leads(LEADS)
    server = new_server()
    program = sign_in(server)
    session_id = program.activate()
    paths = ["/stream", f"/crm/activation/stream/{session_id}"]
    kinds = ["good", "deaf"]
    readers = [Reader(program, paths[n % 2], kinds[n % 3 == 0]) for n in range(60)]

    def all_have_heard():
        for reader in readers:
            reader.read()
        return all(b"event:progress" in r.heard for r in readers if r.kind == "good")

    until(all_have_heard)
    assert server.stop() < 5
    assert db.jobs.find_one({"_id": session_id})["status"] == "running"
    for reader in readers:
        reader.socket.close()
