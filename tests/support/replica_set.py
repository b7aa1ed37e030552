"""A MongoDB replica set on loopback whose nodes may be stopped, frozen and told to step down."""

from __future__ import annotations

import os
import signal
import subprocess
from itertools import count
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from crmapp.local.mongodb import MongoDB
from tests.support.smtp import free_port
from tests.support.waiting import until

NAME = "rs1"
AT_ONCE = {"serverSelectionTimeoutMS": 500, "connectTimeoutMS": 500, "socketTimeoutMS": 8000}


class Node:
    """One mongod. It keeps what it has written, also when it is killed."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self.port = free_port()
        self.host = f"127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        embedded = MongoDB(self.folder)
        with (self.folder / "mongod.log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    embedded.command()[0],
                    *(*embedded.identity, "--port", str(self.port)),
                    *("--bind_ip", "127.0.0.1", "--nounixsocket", "--replSet", NAME),
                    *("--wiredTigerCacheSizeGB", "0.25", "--oplogSize", "64"),
                    *("--setParameter", "diagnosticDataCollectionEnabled=false"),
                    *("--setParameter", "enableTestCommands=1"),
                ],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def signal(self, number: signal.Signals) -> None:
        """SIGKILL is a power cut, SIGSTOP and SIGCONT a machine that stands still for a while."""
        assert self._process
        os.kill(self._process.pid, number)
        if number is signal.SIGKILL:
            self._process.wait()

    def end(self) -> None:
        if self._process and self._process.poll() is None:
            self.signal(signal.SIGKILL)

    def ask(self, command: str, value: Any = 1, **more: Any) -> dict[str, Any]:
        with MongoClient[dict[str, Any]](
            "127.0.0.1", self.port, directConnection=True, **AT_ONCE
        ) as client:
            return client.admin.command(command, value, **more)


class ReplicaSet:
    """`size` nodes, one of them the primary. An election begins 1 s after the primary has gone silent."""

    def __init__(self, folder: Path, size: int) -> None:
        self.nodes = [Node(folder / f"node-{number}") for number in range(size)]
        self._numbers = count(1)

    def new_uri(self) -> str:
        """Of a database that nobody has used."""
        hosts = ",".join(node.host for node in self.nodes)
        return f"mongodb://{hosts}/test_{next(self._numbers)}?replicaSet={NAME}"

    def start(self) -> ReplicaSet:
        for node in self.nodes:
            node.start()
        members = [{"_id": number, "host": node.host} for number, node in enumerate(self.nodes)]
        settings = {"electionTimeoutMillis": 1000, "heartbeatIntervalMillis": 200}
        self._initiate({"_id": NAME, "members": members, "settings": settings})
        return self

    def _initiate(self, config: dict[str, Any]) -> None:
        for node in self.nodes:
            until(lambda node=node: _says(node, "ping"), 60, "a node answers")
        self.nodes[0].ask("replSetInitiate", config)
        self.wait()

    def wait(self) -> Node:
        """Until there is a primary; returns it."""
        return until(lambda: next(filter(_is_primary, self.nodes), None), 60, "there is a primary")

    def step_down(self) -> None:
        """Have another node become the primary."""
        node = self.wait()
        # Refused for as long as no other node has everything.
        until(lambda: _stepped_down(node), 30, "the primary stepped down")

    def end(self) -> None:
        for node in self.nodes:
            node.end()


def _says(node: Node, command: str) -> dict[str, Any] | None:
    """None where it does not answer."""
    try:
        return node.ask(command)
    except PyMongoError:
        return None


def _is_primary(node: Node) -> bool:
    return bool((_says(node, "hello") or {}).get("isWritablePrimary"))


def _stepped_down(node: Node) -> bool:
    try:
        node.ask("replSetStepDown", 5, secondaryCatchUpPeriodSecs=3)
    except OperationFailure:
        return False
    return True
