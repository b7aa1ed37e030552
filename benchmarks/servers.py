"""The servers that are measured, and what they need: started on loopback, ended with the benchmark."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.processes import tree
from benchmarks.waiting import until
from config import Settings
from crmapp import database, local
from crmapp.accounts import passwords, users
from crmapp.database import Db

ROOT = Path(__file__).parents[1]
EMAIL, PASSWORD = "ann@example.com", "correct-horse"
CLOSED_PORT = 1


@contextmanager
def parts() -> Iterator[Settings]:
    """The settings of an embedded MongoDB and Valkey in a directory that is removed at the end."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    with tempfile.TemporaryDirectory(prefix="crmapp-bench-", ignore_cleanup_errors=True) as folder:
        told = {"DATA_DIR": f"{folder}/instance", "MAIL_SERVER": "127.0.0.1"}
        try:
            yield local.resolve(Settings.from_environ(told))
        finally:
            local.release()


def new_database(settings: Settings, name: str) -> tuple[str, Db]:
    """The address of an empty database with the application's indexes, and the database."""
    assert settings.mongodb_uri
    base, _, query = settings.mongodb_uri.partition("?")
    uri = f"{base.rpartition('/')[0]}/{name}?{query}"
    db = database.connect(uri)
    db.client.drop_database(name)
    database.create_indexes(db)
    return uri, db


def environ_of(settings: Settings, mongodb_uri: str, **more: str) -> dict[str, str]:
    """What a process of the application is told. Mail goes nowhere and waits, unless `more` says otherwise."""
    return {
        "UNDO_SECONDS": "0",
        "MONGODB_URI": mongodb_uri,
        "REDIS_URL": str(settings.redis_url),
        "SECRET_KEY": "the secret of the benchmarks",
        "MAIL_SERVER": "127.0.0.1",
        "MAIL_PORT": str(CLOSED_PORT),
        "WEB_CONCURRENCY": "1",
        **more,
    }


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Server:
    """A server that runs, at `port`."""

    pid: int
    port: int

    @property
    def worker(self) -> int:
        """The one process that answers requests; another one after gunicorn had to replace it."""
        return tree(self.pid)[-1]


@contextmanager
def crmapp_server(environ: dict[str, str], log: Path) -> Iterator[Server]:
    """The product as it ships: gunicorn with the settings in gunicorn.conf.py, one worker process."""
    with _server(["gunicorn"], environ, log, "/readyz") as server:
        yield server


@contextmanager
def gunicorn(app: str, environ: dict[str, str], log: Path) -> Iterator[Server]:
    """Another application on the same gunicorn, with the same workers."""
    config = str(ROOT / "benchmarks/peers/gunicorn_conf.py")
    with _server(["gunicorn", "-c", config, app], environ, log, "/ready") as server:
        yield server


@contextmanager
def uvicorn(app: str, environ: dict[str, str], log: Path) -> Iterator[Server]:
    """An application on uvicorn with uvloop and httptools, one process."""
    command = ["uvicorn", app, "--no-access-log", "--log-level", "warning", "--backlog", "4096"]
    with _server(command, environ, log, "/ready") as server:
        yield server


@contextmanager
def _server(command: list[str], environ: dict[str, str], log: Path, ready: str) -> Iterator[Server]:
    port = free_port()
    if command[0] == "uvicorn":
        command = [*command, "--port", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], **environ, "PORT": str(port)},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        until(lambda: answers(port, ready), 30, f"{command[0]} answers (see {log})")
        yield Server(process.pid, port)
    finally:
        end_group(process)


def end_group(process: subprocess.Popen[Any], seconds: float = 15) -> None:
    """End the process and all of its group."""
    with suppress(ProcessLookupError):
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def answers(port: int, path: str) -> bool:
    """Whether the server says 200."""
    try:
        return call(port, "GET", path)[0] == 200
    except (OSError, http.client.HTTPException):
        return False


def call(
    port: int, method: str, path: str, body: Any = None, token: str = "", seconds: float = 5
) -> tuple[int, Any]:
    """The status and the JSON of the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    try:
        connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read() or b"null")
    finally:
        connection.close()


def add_admin(db: Db) -> users.User:
    """A superadmin who signs in with EMAIL and PASSWORD."""
    return users.save_admin(db, EMAIL, "Ann", passwords.hash_password(PASSWORD))


def sign_in(port: int) -> str:
    """The bearer token of the superadmin."""
    status, answer = call(port, "POST", "/api/login", {"email": EMAIL, "password": PASSWORD})
    if status != 200:
        raise RuntimeError(f"cannot sign in: {answer}")
    return str(answer["data"]["token"])
