"""Many readers of one stream, in a process of their own: `python -m benchmarks.readers`, told what to do by Helper.

Written to cost little: it never parses an event, but looks for the last `"rev":N,` in what arrived. A stream carries
states, so what matters of an update is when a reader has it *or a newer one*; that is what all servers are measured by.
"""

from __future__ import annotations

import json
import os
import select
import socket
import time
from typing import Any

from benchmarks.tables import percentile

REV = b'"rev":'
RECEIVE = 1 << 18


class Reader:
    """One connection. Times are of CLOCK_MONOTONIC, which all processes of a machine share."""

    __slots__ = ("answered", "arrivals", "connection", "opened_at", "rest", "rev")

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.opened_at = time.monotonic()
        self.answered = False
        self.rev = -1
        self.rest = b""
        self.arrivals: list[tuple[int, float]] = []

    def take(self, data: bytes, now: float) -> None:
        """What arrived at `now`."""
        self.answered = True
        if self.rest:
            data = self.rest + data
        # Only an event that came in two pieces leaves something to look at again.
        self.rest = b"" if data.endswith(b"\n") else data[-2000:]
        start = data.rfind(REV)
        end = data.find(b",", start)
        if start >= 0 and end < 0:
            start = data.rfind(REV, 0, start)
            end = data.find(b",", start)
        if start < 0:
            return
        rev = int(data[start + len(REV) : end])
        if rev > self.rev:
            self.rev = rev
            self.arrivals.append((rev, now))


class Crowd:
    """All readers of this process."""

    def __init__(self) -> None:
        self.polled = select.epoll()
        self.readers: dict[int, Reader] = {}
        self.gone: list[Reader] = []

    def open(self, port: int, path: str, token: str, count: int) -> dict[str, int]:
        """Connect `count` readers, as fast as that goes."""
        authorization = f"Authorization: Bearer {token}\r\n" if token else ""
        head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n"
        asked = f"{head}{authorization}\r\n".encode()
        for _ in range(count):
            connection = socket.socket()
            reader = Reader(connection)
            connection.connect(("127.0.0.1", port))
            connection.sendall(asked)
            connection.setblocking(False)
            self.readers[connection.fileno()] = reader
            self.polled.register(connection, select.EPOLLIN)
        return {"open": len(self.readers)}

    def state(self) -> dict[str, int]:
        """How many have been answered, have an event, and were dropped by the server."""
        readers = self.readers.values()
        return {
            "answered": sum(reader.answered for reader in readers),
            "told": sum(reader.rev >= 0 for reader in readers),
            "dropped": len(self.gone),
        }

    def first(self) -> list[float]:
        """Sorted seconds from connecting to the first event."""
        told = [reader for reader in self.readers.values() if reader.arrivals]
        return sorted(reader.arrivals[0][1] - reader.opened_at for reader in told)

    def forget(self) -> None:
        """Begin to measure anew: what has arrived so far is not looked at again."""
        for reader in self.readers.values():
            reader.arrivals = [(reader.rev, time.monotonic())]

    def latency(self, published: dict[str, float]) -> dict[str, float]:
        """Seconds from publishing each rev until a reader has it or a newer one, over all readers.

        What never arrived counts as late as now.
        """
        times = {int(rev): at for rev, at in published.items()}
        now = time.monotonic()
        late: list[float] = []
        for reader in [*self.readers.values(), *self.gone]:
            missing = sorted(times)
            place = 0
            for rev, at in [*reader.arrivals, (missing[-1], now)]:
                while place < len(missing) and missing[place] <= rev:
                    late.append(at - times[missing[place]])
                    place += 1
        late.sort()
        return {"p50": percentile(late, 0.5), "p99": percentile(late, 0.99), "worst": late[-1]}

    def arrived(self, rev: int) -> dict[str, float]:
        """How many readers have `rev`, and when the last of them got it."""
        at = [
            when
            for reader in self.readers.values()
            for newest, when in reader.arrivals[-1:]
            if newest >= rev
        ]
        return {"count": len(at), "last": max(at, default=0.0)}

    def gaps(self) -> list[float]:
        """For each reader the longest time in seconds between two arrivals, in the order in which they connected."""
        return [
            max((b[1] - a[1] for a, b in zip(r.arrivals, r.arrivals[1:], strict=False)), default=0)
            for r in self.readers.values()
        ]

    def close(self) -> dict[str, int]:
        closed = len(self.readers)
        for reader in self.readers.values():
            reader.connection.close()
        self.readers.clear()
        self.gone.clear()
        return {"closed": closed}

    def listen(self, seconds: float = -1) -> None:
        """Take what arrives until somebody says something on stdin."""
        while True:
            ready = self.polled.poll(seconds)
            now = time.monotonic()
            for fd, _ in ready:
                if fd in self.readers:
                    self._receive(fd, now)
            if any(fd == 0 for fd, _ in ready):
                return

    def _receive(self, fd: int, now: float) -> None:
        try:
            data = self.readers[fd].connection.recv(RECEIVE)
        except OSError:
            data = b""
        if data:
            self.readers[fd].take(data, now)
        else:
            self.polled.unregister(fd)
            self.gone.append(self.readers.pop(fd))


def main() -> None:
    crowd = Crowd()
    crowd.polled.register(0, select.EPOLLIN)
    asked: dict[str, Any] = {}
    print(json.dumps("ready"), flush=True)
    unread = b""
    while True:
        crowd.listen()
        piece = os.read(0, 1 << 16)
        if not piece:
            return
        *lines, unread = (unread + piece).split(b"\n")
        for line in lines:
            asked = json.loads(line)
            print(json.dumps(getattr(crowd, asked.pop("do"))(**asked)), flush=True)


if __name__ == "__main__":
    main()
