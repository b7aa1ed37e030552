"""A real gunicorn in a process group of its own, and a program that talks to it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests

from tests.support.smtp import free_port
from tests.support.waiting import until

ROOT = Path(__file__).parents[2]


class Server:
    """`environ` is what it is told, besides PORT."""

    def __init__(self, environ: dict[str, str], log: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environ = {**environ, "PORT": str(self.port), "PUBLIC_URL": self.url}
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, wait: bool = True) -> Server:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "gunicorn"],
                cwd=ROOT,
                env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", **self.environ},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        if wait:
            until(self.is_ready, 30, f"the server is ready; see {self.log}")
        return self

    def is_ready(self) -> bool:
        try:
            return requests.get(self.url + "/readyz", timeout=5).ok
        except requests.RequestException:
            return False

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    def worker_pids(self) -> list[int]:
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        return [int(pid) for pid in children.split()]

    def kill(self) -> None:
        """What a power cut does: the whole process group, at once, with no clean-up."""
        if self._process and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def stop(self) -> float:
        """SIGTERM; returns how many seconds it took to end."""
        assert self._process
        began = time.monotonic()
        self._process.terminate()
        self._process.wait(timeout=30)
        return time.monotonic() - began


class Program:
    """A program that signed in with a bearer token."""

    def __init__(self, url: str, email: str, password: str) -> None:
        self.url = url
        self.http = requests.Session()
        # The server hangs up on an idle connection after 2 s, perhaps while the next request is on its way.
        self.http.headers["Connection"] = "close"
        answer = self.http.post(url + "/api/login", json={"email": email, "password": password})
        assert answer.ok, answer.text
        self.http.headers["Authorization"] = f"Bearer {answer.json()['data']['token']}"

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.http.get(self.url + path, timeout=30, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> requests.Response:
        return self.http.post(self.url + path, json=body, timeout=60, **options)

    def activate(self, **body: Any) -> str:
        """Start an activation; returns its session id."""
        answer = self.post("/crm/leads/activate", body or {"filter": {}})
        assert answer.status_code == 202, answer.text
        return str(answer.json()["data"]["sessionId"])

    def progress(self, session_id: str) -> dict[str, Any]:
        answer = self.get(f"/crm/activation/progress/{session_id}")
        assert answer.ok, answer.text
        return dict(answer.json()["data"])

    def events(self, path: str, **headers: str) -> Iterator[tuple[str, str, Any]]:
        """The events of a stream as (type, id, data), until it ends."""
        with self.http.get(
            self.url + path,
            stream=True,
            timeout=60,
            headers={"Accept": "text/event-stream", **headers},
        ) as answer:
            assert answer.status_code == 200, answer.text
            yield from read_events(answer)


def read_events(answer: requests.Response) -> Iterator[tuple[str, str, Any]]:
    fields: dict[str, str] = {}
    for line in answer.iter_lines(chunk_size=1, decode_unicode=True):
        if line:
            name, _, value = line.partition(":")
            fields[name] = value.strip()
        else:
            if "data" in fields:
                yield fields.get("event", ""), fields.get("id", ""), json.loads(fields["data"])
            fields = {}
