"""What thousands of requests and stream readers have used is given back: memory, connections, open files."""

import os
import socket
from pathlib import Path

from redis import Redis

from benchmarks.open_pages import ASKED, ask_steadily
from crmapp.live.blueprint import live
from tests.support.waiting import until

REQUESTS, READERS = (10_000, 1000) if os.environ.get("CHAOS") else (1500, 150)
RATE = 500
AT_ONCE = 25
MOST_GROWTH_KIB = 4 * 1024
# As many connections more or less are the pools', which grow up to what is asked at once.
SOME = 8


def test_nothing_is_kept_of_those_who_are_gone(
    db, own_valkey, new_server, admin, new_leads, sign_in, site
):
    server = new_server(WEB_CONCURRENCY="1")
    program = sign_in(server)
    new_leads(200)
    session_id = program.activate()
    (worker,) = server.worker_pids()
    redis = Redis(port=own_valkey.port)

    def used():
        mongodb = db.client.admin.command("serverStatus")["connections"]["current"]
        files = len(os.listdir(f"/proc/{worker}/fd"))
        return {"mongodb": mongodb, "redis": len(redis.client_list()), "files": files}

    def visit(requests, readers):
        paths = [path.format(session=session_id) for path in ASKED]
        headers = {"Authorization": program.http.headers["Authorization"]}
        answers = ask_steadily(server.port, paths, headers, RATE, requests / RATE)
        assert answers.statuses == {200: requests}
        for _ in range(readers // AT_ONCE):
            read_streams(server.port, headers)
        # A reader who is gone is noticed when there is something to be told or asked.
        with site.app_context():
            live.recheck(admin.id)

    def is_back_at(count, name, some):
        until(lambda: used()[name] <= count + some, what=f"{name} are {count} again")

    fresh = used()
    # Pools and caches fill up.
    visit(1500, READERS)
    for name, count in fresh.items():
        is_back_at(count, name, 3 * SOME)
    before, memory = used(), memory_kib(worker)
    visit(REQUESTS, READERS)
    for name, count in before.items():
        is_back_at(count, name, SOME)
    assert memory_kib(worker) - memory < MOST_GROWTH_KIB


def read_streams(port, headers):
    """Some readers at once, who go away without a word when they have heard something."""
    asked = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    connections = [socket.create_connection(("127.0.0.1", port)) for _ in range(AT_ONCE)]
    for connection in connections:
        connection.sendall(f"GET /stream HTTP/1.1\r\nHost: localhost\r\n{asked}\r\n".encode())
    for connection in connections:
        heard = b""
        while b"event:" not in heard:
            heard += connection.recv(65536)
            assert b"HTTP/1.1 200" in heard
    for connection in connections:
        connection.close()


def memory_kib(pid):
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])
