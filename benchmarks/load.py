"""Requests as fast as they are answered, over keep-alive connections.

wrk makes them, or where it is missing a small client in Python.
"""

from __future__ import annotations

import re
import select
import shutil
import socket
import subprocess
import time
from contextlib import ExitStack
from typing import NamedTuple

from benchmarks.tables import percentile

CONNECTIONS = 32
WRK = shutil.which("wrk")
_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0}


class Load(NamedTuple):
    """`p99` in seconds; `refused` counts answers of 400 and above."""

    rate: float
    p99: float
    refused: int


def generator() -> str:
    """What makes the requests, in words."""
    if WRK:
        return "Requests are made by wrk."
    return "wrk is missing (apt-get install wrk): a client in Python makes the requests, so rates may be its own limit."


def load(port: int, path: str, headers: dict[str, str], seconds: int) -> Load:
    """Ask for `path` over CONNECTIONS connections for `seconds`."""
    return (_by_wrk if WRK else _by_python)(port, path, headers, seconds)


def _by_wrk(port: int, path: str, headers: dict[str, str], seconds: int) -> Load:
    assert WRK is not None
    given = [part for name, value in headers.items() for part in ("-H", f"{name}: {value}")]
    size = ["-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency"]
    said = subprocess.run(
        [WRK, *size, *given, f"http://127.0.0.1:{port}{path}"],
        capture_output=True,
        text=True,
        check=True,
        timeout=seconds + 30,
    ).stdout
    late = re.search(r"99%\s+([\d.]+)(us|ms|s)", said)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    if not late or not rate:
        raise RuntimeError(f"wrk says {said}")
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    return Load(float(rate[1]), float(late[1]) * _UNITS[late[2]], int(refused[1]) if refused else 0)


def _by_python(port: int, path: str, headers: dict[str, str], seconds: int) -> Load:
    lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1", *(f"{k}: {v}" for k, v in headers.items())]
    asked = ("\r\n".join(lines) + "\r\n\r\n").encode()
    late: list[float] = []
    refused = 0
    ends_at = time.monotonic() + seconds
    with ExitStack() as stack, select.epoll() as polled:
        clients = {}
        for _ in range(CONNECTIONS):
            client = _Client(stack.enter_context(socket.create_connection(("127.0.0.1", port))))
            clients[client.connection.fileno()] = client
            polled.register(client.connection, select.EPOLLIN)
            client.ask(asked)
        while time.monotonic() < ends_at:
            for fd, _ in polled.poll(1):
                client = clients[fd]
                if client.receive():
                    refused += client.answer[9:12] >= b"400"
                    late.append(time.monotonic() - client.asked_at)
                    client.ask(asked)
    late.sort()
    return Load(len(late) / seconds, percentile(late, 0.99), refused)


class _Client:
    """One connection, and what came of the answer so far."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.asked_at = 0.0
        self.answer = b""

    def ask(self, request: bytes) -> None:
        self.answer = b""
        self.asked_at = time.monotonic()
        self.connection.sendall(request)

    def receive(self) -> bool:
        """Whether the answer is whole now."""
        data = self.connection.recv(65536)
        if not data:
            raise ConnectionError("the server closed a connection")
        self.answer += data
        head, found, body = self.answer.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
        return bool(found) and len(body) >= (int(length[1]) if length else 0)
