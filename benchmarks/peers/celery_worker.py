"""A Celery worker that is ready, and does not look at its queue before it is told to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType

from celery import Celery

from benchmarks.servers import ROOT, end_group
from benchmarks.waiting import until
from config import Settings

QUEUE = "mail"
CELERY = [sys.executable, "-m", "celery", "-A", "benchmarks.peers.celery_mail"]
CELERY += ["worker", "--loglevel", "WARNING"]


class Worker:
    """`pool` and `concurrency` are the options of `celery worker`."""

    def __init__(self, settings: Settings, mail_port: int, pool: str, concurrency: int) -> None:
        assert settings.redis_url
        # A database of its own, and empty.
        broker = f"{settings.redis_url.rpartition('/')[0]}/1"
        self._client = Celery("bench", broker=broker)
        self._client.connection().default_channel.client.flushdb()
        with (settings.data_dir / "celery.log").open("wb") as log:
            self._process = subprocess.Popen(
                [*CELERY, "-Q", "idle", "-P", pool, "-c", str(concurrency)],
                cwd=ROOT,
                env={
                    "PATH": os.environ["PATH"],
                    "BROKER_URL": broker,
                    "MAIL_PORT": str(mail_port),
                },
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def __enter__(self) -> Worker:
        until(lambda: self._client.control.ping(timeout=0.5), 30, "the Celery worker is ready")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        end_group(self._process)
        self._client.close()

    def queue(self, path: Path) -> None:
        """A task for each letter of the file."""
        with self._client.producer_or_acquire() as producer:
            for letter in json.loads(path.read_text()):
                words = [letter[name] for name in ("recipient", "subject", "text", "html")]
                self._client.send_task("send", words, queue=QUEUE, producer=producer)

    def begin(self) -> None:
        self._client.control.add_consumer(QUEUE, reply=False)
