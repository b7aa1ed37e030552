"""Real parts: one embedded MongoDB and Valkey for the whole run, a database of its own for each test."""

from __future__ import annotations

import fcntl
import itertools
import os
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from bson import ObjectId
from flask import Flask
from pymongo.database import Database
from redis import Redis

from config import Settings
from crmapp import database, local
from crmapp.accounts import passwords, users
from crmapp.accounts.users import Role
from crmapp.app import create_app
from crmapp.clock import now
from crmapp.leads import words
from crmapp.local.files import lock, open_lock
from tests.support.server import Program, Server
from tests.support.smtp import MailServer
from tests.support.visitor import Caller, Visitor

PASSWORD = "correct-horse"
_PASSWORD_HASH = passwords.hash_password(PASSWORD)
_numbers = itertools.count(1)
# Databases that were emptied after a test; making one with all its indexes takes ten times as long.
_emptied: deque[str] = deque()
# Applications that a test has left, by what they were told; making one takes longer than most tests.
_idle: dict[tuple[tuple[str, str], ...], list[Flask]] = {}
# What may still write after its test, or has left a transaction open.
PROCESSES = {"server", "new_server", "worker", "new_worker", "own_mongod"}


@pytest.fixture(scope="session")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """The settings of the embedded servers."""
    data_dir = tmp_path_factory.mktemp("parts") / "instance"
    given = Settings.from_environ({"DATA_DIR": str(data_dir)})
    settings = local.resolve(given)
    # A lock of its own, because the tests of `local` let go of all that this process holds.
    in_use = open_lock(data_dir / "in_use")
    lock(in_use, fcntl.LOCK_SH)
    _let_go_of_dropped_databases(str(settings.mongodb_uri))
    yield settings
    os.close(in_use)
    local.resolve(given)
    local.release()


def _let_go_of_dropped_databases(uri: str) -> None:
    """MongoDB keeps their files open for five minutes, for readers of the past; with a database for each test these
    are more than a process may have."""
    client = database.connect(uri).client
    client.admin.command("setParameter", 1, minSnapshotHistoryWindowInSeconds=1)
    client.close()


@pytest.fixture
def environ(parts: Settings, request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """What a process is told: a database of this test's own, and a mail server that is away unless `smtp` is used."""
    assert parts.mongodb_uri
    base, _, query = parts.mongodb_uri.partition("?")
    fresh = bool(PROCESSES & set(request.fixturenames)) or len(_emptied) < 5
    name = f"test_{next(_numbers)}" if fresh else _emptied.popleft()
    uri = f"{base.rpartition('/')[0]}/{name}?{query}"
    yield {
        "MONGODB_URI": uri,
        "REDIS_URL": str(parts.redis_url),
        "SECRET_KEY": "the secret of the tests",
        "DATA_DIR": str(parts.data_dir),
        "MAIL_SERVER": "127.0.0.1",
        "MAIL_PORT": "1",
        "WEB_CONCURRENCY": "2",
        "JOB_LEASE_SECONDS": "2",
        "UNDO_SECONDS": "0",
        "EMAIL_LEASE_SECONDS": "5",
        "EMAIL_RETRY_BASE_SECONDS": "1",
    }
    db = database.connect(uri)
    if PROCESSES & set(request.fixturenames):
        db.client.drop_database(name)
    else:
        for collection in db.list_collection_names():
            db[collection].delete_many({})
        _emptied.append(name)
    db.client.close()
    # Attempts to sign in, for one.
    Redis.from_url(str(parts.redis_url)).flushdb()


@pytest.fixture
def db(environ: dict[str, str]) -> Iterator[Database[dict[str, Any]]]:
    db = database.connect(environ["MONGODB_URI"])
    database.create_indexes(db)
    yield db
    db.client.close()


@pytest.fixture
def app(environ: dict[str, str], db: Database[dict[str, Any]]) -> Iterator[Flask]:
    """The application without its background loops."""
    app = _take_site(environ)
    with app.app_context():
        yield app
    _leave_site(environ, app)


def _take_site(environ: dict[str, str]) -> Flask:
    idle = _idle.get(tuple(environ.items()))
    if not idle:
        return create_app(Settings.from_environ(environ))
    app = idle.pop()
    app.extensions["remembered"].clear()
    return app


def _leave_site(environ: dict[str, str], app: Flask) -> None:
    """Keep it for a later test on the same database."""
    _idle.setdefault(tuple(environ.items()), []).append(app)


def _end_site(app: Flask) -> None:
    app.extensions["live"].hub.stop()
    app.extensions["database"].client.close()


@pytest.fixture
def smtp(environ: dict[str, str]) -> Iterator[MailServer]:
    server = MailServer().start()
    environ["MAIL_PORT"] = str(server.port)
    yield server
    server.stop()


@pytest.fixture
def new_server(
    environ: dict[str, str], db: Database[dict[str, Any]], tmp_path: Path
) -> Iterator[Callable[..., Server]]:
    """Starts gunicorns on this test's database; they end with the test."""
    servers: list[Server] = []

    def new(**more: str) -> Server:
        server = Server({**environ, **more}, tmp_path / f"server-{len(servers)}.log")
        servers.append(server)
        return server.start()

    yield new
    for server in servers:
        server.kill()


@pytest.fixture
def server(new_server: Callable[..., Server]) -> Server:
    return new_server()


@pytest.fixture
def new_person(db: Database[dict[str, Any]]) -> Callable[..., users.User]:
    """Creates users who can sign in with PASSWORD."""

    def new(email: str, role: Role = Role.ADMIN) -> users.User:
        person = users.new_user(email, email.partition("@")[0].title(), role)
        person |= {"passwordHash": _PASSWORD_HASH, "status": "active"}
        db.users.insert_one(person)
        return users.User(person)

    return new


@pytest.fixture
def admin(new_person: Callable[..., users.User]) -> users.User:
    return new_person("ann@example.com")


@pytest.fixture
def sign_in() -> Callable[..., Program]:
    """Signs a program in at a server, as ann unless told otherwise."""
    return lambda server, email="ann@example.com": Program(server.url, email, PASSWORD)


@pytest.fixture
def program(server: Server, admin: users.User, sign_in: Callable[..., Program]) -> Program:
    return sign_in(server)


@pytest.fixture
def new_leads(db: Database[dict[str, Any]]) -> Callable[..., list[ObjectId]]:
    """Creates leads; returns their ids."""

    def new(count: int, **fields: Any) -> list[ObjectId]:
        start = db.leads.estimated_document_count()
        leads = [
            {
                "name": f"Lead {number}",
                "email": f"lead{number}@example.com",
                "phone": "",
                "company": "Some Company",
                "source": "website",
                "status": "new",
                "notes": "",
                "createdAt": now(),
                "updatedAt": now(),
                **fields,
            }
            for number in range(start, start + count)
        ]
        for lead in leads:
            lead["words"] = words.of(lead)
        return list(db.leads.insert_many(leads).inserted_ids)

    return new


@pytest.fixture
def new_site(environ: dict[str, str]) -> Iterator[Callable[..., Flask]]:
    """Makes applications without background loops, for requests in this process: each has a context of its own."""
    sites: list[Flask] = []

    def new(**more: str) -> Flask:
        sites.append(create_app(Settings.from_environ({**environ, **more})))
        return sites[-1]

    yield new
    for site in sites:
        _end_site(site)


@pytest.fixture
def site(environ: dict[str, str], db: Database[dict[str, Any]]) -> Iterator[Flask]:
    site = _take_site(environ)
    yield site
    _leave_site(environ, site)


@pytest.fixture
def new_visitor(site: Flask) -> Callable[[], Visitor]:
    return lambda: Visitor(site)


@pytest.fixture
def visitor(new_visitor: Callable[[], Visitor]) -> Visitor:
    return new_visitor()


@pytest.fixture
def ann(visitor: Visitor, admin: users.User) -> Visitor:
    """An administrator who is signed in."""
    visitor.sign_in(admin.email, PASSWORD)
    return visitor


@pytest.fixture
def new_api(site: Flask) -> Callable[[users.User], Caller]:
    return lambda user: Caller(site, user)


@pytest.fixture
def api(new_api: Callable[[users.User], Caller], admin: users.User) -> Caller:
    """A program that ann signed in."""
    return new_api(admin)
