"""A database and settings of their own for tests that share what they start, or start several at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

from config import Settings
from crmapp import database

MAX_ATTEMPTS = 3
_databases = count(1)


@contextmanager
def own_environ(parts: Settings) -> Iterator[dict[str, str]]:
    """What a process is told that has a database of its own, gives up soon and does not wait long for an answer."""
    base, _, query = str(parts.mongodb_uri).partition("?")
    name = f"smtp_{next(_databases)}"
    uri = f"{base.rpartition('/')[0]}/{name}?{query}"
    yield {
        "MONGODB_URI": uri,
        "REDIS_URL": str(parts.redis_url),
        "SECRET_KEY": "the secret of the tests",
        "DATA_DIR": str(parts.data_dir),
        "MAIL_SERVER": "127.0.0.1",
        "WEB_CONCURRENCY": "1",
        "EMAIL_CONNECTIONS": "4",
        "EMAIL_LEASE_SECONDS": "6",
        "EMAIL_MAX_ATTEMPTS": str(MAX_ATTEMPTS),
        "EMAIL_RETRY_BASE_SECONDS": "1",
    }
    client = database.connect(uri).client
    client.drop_database(name)
    client.close()


@contextmanager
def own_database(environ: dict[str, str]) -> Iterator[Any]:
    db = database.connect(environ["MONGODB_URI"])
    database.create_indexes(db)
    yield db
    db.client.close()
