"""A mongod without a replica set, as one gets by forgetting --replSet."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from crmapp.local.mongodb import _binary
from tests.support.smtp import free_port


class Standalone:
    """Gives its address; it ends with the block."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "standalone"
        self._port = free_port()

    def __enter__(self) -> str:
        self._folder.mkdir()
        options = {
            "dbpath": self._folder,
            "port": self._port,
            "wiredTigerCacheSizeGB": 0.25,
            "bind_ip": "127.0.0.1",
        }
        mongod = str(_binary())
        arguments = [part for name, value in options.items() for part in (f"--{name}", str(value))]
        self._process = subprocess.Popen([mongod, *arguments], stdout=subprocess.DEVNULL)
        uri = f"mongodb://127.0.0.1:{self._port}/standalone"
        client: MongoClient[Any] = MongoClient(uri, serverSelectionTimeoutMS=30_000)
        client.admin.command("ping")
        client.close()
        return uri

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
