"""Parts that a test may stop, and a mail server that may misbehave."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crmapp.local.parts import Valkey
from tests.support.scripted_smtp import ScriptedServer
from tests.support.worker import Worker


@pytest.fixture
def own_valkey(environ: dict[str, str], tmp_path: Path) -> Iterator[Valkey]:
    """A Valkey of this test's own, which the servers of the test use."""
    valkey = Valkey(tmp_path)
    valkey.start()
    valkey.wait()
    environ["REDIS_URL"] = f"redis://127.0.0.1:{valkey.port}/0"
    yield valkey
    valkey.stop()
    valkey.wait_stopped()


@pytest.fixture
def scripted_smtp(environ: dict[str, str]) -> Iterator[ScriptedServer]:
    server = ScriptedServer().start()
    environ["MAIL_PORT"] = str(server.port)
    yield server
    server.stop(goodbye=False)


@pytest.fixture
def new_worker(environ: dict[str, str], tmp_path: Path) -> Iterator[Callable[..., Worker]]:
    """Starts `flask worker`s on this test's database; they end with the test."""
    workers: list[Worker] = []

    def new(**more: str) -> Worker:
        workers.append(Worker({**environ, **more}, tmp_path / f"worker-{len(workers)}.log"))
        return workers[-1]

    yield new
    for worker in workers:
        worker.kill()
