"""A small ML service that does what a test tells it: it takes documents, refuses them, is slow, breaks off, is away."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

HOST = "127.0.0.1"


class Call(NamedTuple):
    method: str
    path: str
    key: str  # its Idempotency-Key
    body: Any


class Act(NamedTuple):
    """What to answer, and what to wait for before; without a status, break off."""

    status: int | None = 200
    body: Any = None
    headers: dict[str, str] = {}
    after: threading.Event | None = None


TAKE = Act()
BREAK_OFF = Act(status=None)


class MlService:
    """`act` is asked what to do with each call, by several threads at once. `documents` is what it was told, by
    path."""

    def __init__(self) -> None:
        self.act: Callable[[Call], Act] = lambda call: TAKE
        self.calls: list[Call] = []
        self.documents: dict[str, Any] = {}
        self.at_once = 0
        self.most_at_once = 0
        self._port = 0
        self._server: ThreadingHTTPServer | None = None
        self._lock = threading.Lock()
        self.start()

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self._port}"

    def start(self) -> None:
        self._server = ThreadingHTTPServer((HOST, self._port), self._handler())
        self._server.daemon_threads = True
        self._port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Be away until started again, at the same address."""
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                service.handle(self)

            do_DELETE = do_PUT  # noqa: N815

            def log_message(self, *_: Any) -> None:
                pass

        return Handler

    def handle(self, request: BaseHTTPRequestHandler) -> None:
        length = int(request.headers.get("Content-Length") or 0)
        body = json.loads(request.rfile.read(length)) if length else None
        key = request.headers["Idempotency-Key"]
        call = Call(str(request.command), request.path, key, body)
        with self._lock:
            self.calls.append(call)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        act = self.act(call)
        if act.after:
            act.after.wait(30)
        with self._lock:
            self.at_once -= 1
            if act.status and act.status < 300:
                self._take(call)
        if act.status:
            self._answer(request, act)

    def _take(self, call: Call) -> None:
        if call.method == "PUT":
            self.documents[call.path] = call.body
        else:
            self.documents.pop(call.path, None)

    def _answer(self, request: BaseHTTPRequestHandler, act: Act) -> None:
        data = json.dumps(act.body).encode() if act.body is not None else b""
        request.send_response(act.status or 200)
        for name, value in {**act.headers, "Content-Length": str(len(data))}.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(data)
