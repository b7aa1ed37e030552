"""A way past the WSGI server: whole events go straight to a waiting reader's socket, and its greenlet sleeps on.

With a thousand readers, waking their greenlets costs more than twice what writing to their sockets does.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from typing import Any

from crmapp.live.events import Event


class Shortcut:
    """One reader's socket. Used only while its greenlet waits, when all that it gave the server has been written."""

    __slots__ = ("_send", "_send_all", "rest")

    def __init__(self, connection: socket.socket, send: Callable[[bytes], int]) -> None:
        """`send` writes to `connection` without ever waiting."""
        self._send = send
        self._send_all = connection.sendall
        self.rest = b""  # of an event that the socket took only a part of

    def write(self, events: Sequence[Event]) -> bool:
        """Write as much as the socket takes. False where something is left, which only the greenlet may wait with."""
        chunk = events[0].chunk if len(events) == 1 else b"".join([e.chunk for e in events])
        try:
            sent = self._send(chunk)
        except OSError:  # full, or broken: `finish` finds out which
            sent = 0
        self.rest = chunk[sent:] if sent < len(chunk) else b""
        return not self.rest

    def finish(self) -> None:
        """Write what is left, waiting as long as that takes. Raises OSError where the reader is gone."""
        rest, self.rest = self.rest, b""
        if rest:
            self._send_all(rest)


def shortcut_of(environ: dict[str, Any]) -> Shortcut | None:
    """The shortcut to whoever sent this request; None where the server's framing is not plain HTTP/1.1 chunks
    (RFC 9112, 7.1) on one of gevent's sockets."""
    connection: Any = environ.get("gunicorn.socket")
    raw = getattr(connection, "_sock", None)
    encrypted = hasattr(connection, "cipher")
    if raw is None or encrypted or environ.get("SERVER_PROTOCOL") != "HTTP/1.1":
        return None
    return Shortcut(connection, raw.send)
