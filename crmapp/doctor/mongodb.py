"""MongoDB: that it answers and promises what is relied on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC
from typing import Any

import bson
from pymongo import WriteConcern
from pymongo.errors import PyMongoError

from crmapp.alerts.conditions import NEARLY_FULL, disk_share
from crmapp.clock import now
from crmapp.database import INDEXES, Db, Document, StandaloneError, require_replica_set
from crmapp.doctor.findings import Finding, fault, ok, warn

OLDEST_VERSION = 6
RECOMMENDED_VERSION = 7
CLOCK_WARN_SECONDS, CLOCK_FAULT_SECONDS = 2.0, 30.0
MAJORITY_MS = 5000
SCRATCH = {"_id": "doctor"}
CREATE_INDEXES = "Run `flask init-db`, which creates what is missing while everything runs."


def answers(db: Db) -> Finding:
    """Nothing else here can be asked where this is a fault."""
    try:
        db.client.admin.command("ping")
    except PyMongoError as error:
        return fault(
            "MongoDB",
            f"does not answer ({str(error).partition(' (')[0][:200]})",
            "Start it, or correct MONGODB_URI: its hosts, replicaSet, user and password, authSource, tls.",
        )
    return ok("MongoDB", "answers")


def check(db: Db) -> Iterator[Finding]:
    """Raises PyMongoError where it may not be asked."""
    yield _version(str(db.client.server_info()["version"]))
    yield _replica_set(db)
    yield _majority(db)
    yield _indexes(db)
    yield _clock(db)
    yield _disk(db)


def _version(version: str) -> Finding:
    major = int(version.partition(".")[0])
    advice = "Upgrade it to 7 or 8, one major version after the other (docs/operations.md)."
    if major < OLDEST_VERSION:
        return fault("MongoDB version", f"{version} is too old", advice)
    if major < RECOMMENDED_VERSION:
        return warn("MongoDB version", f"{version}, whose activations are slower", advice)
    return ok("MongoDB version", version)


def _replica_set(db: Db) -> Finding:
    try:
        require_replica_set(db)
    except StandaloneError as error:
        return fault("replica set", "a standalone mongod has no transactions", str(error))
    hello = db.client.admin.command("hello")
    if "setName" not in hello:
        return ok("replica set", "a sharded cluster")
    nodes = len(hello.get("hosts", []))
    if nodes == 2:
        return warn(
            "replica set",
            f"{hello['setName']} has 2 nodes: when either is away, nothing can be written",
            "Add a third node, or remove one.",
        )
    return ok("replica set", f"{hello['setName']}, {nodes} node{'s' if nodes > 1 else ''}")


def _majority(db: Db) -> Finding:
    concern = WriteConcern("majority", wtimeout=MAJORITY_MS)
    notes = db.get_collection("projections", write_concern=concern)
    try:
        notes.update_one(SCRATCH, {"$set": {"at": now()}}, upsert=True)
        notes.delete_one(SCRATCH)
    except PyMongoError as error:
        return fault(
            "majority writes",
            f"a write was not confirmed ({str(error)[:200]})",
            "See in rs.status() whether most nodes are up and keep up, and whether the user may write (readWrite).",
        )
    return ok("majority writes", "confirmed")


def _indexes(db: Db) -> Finding:
    wrong = [
        f"{collection}.{wanted['name']}"
        for collection, indexes in INDEXES.items()
        for there in (db[collection].index_information(),)
        for wanted in (index.document for index in indexes)
        if not _is_there(wanted, there)
    ]
    if wrong:
        few = ", ".join(wrong[:5]) + (" …" if len(wrong) > 5 else "")
        return fault("indexes", f"{len(wrong)} missing or outdated: {few}", CREATE_INDEXES)
    return ok("indexes", f"all {sum(map(len, INDEXES.values()))} there")


def _is_there(wanted: Document, there: Mapping[str, Any]) -> bool:
    found = there.get(wanted["name"])
    return found is not None and _options(wanted) == _options(found)


def _options(index: Mapping[str, Any]) -> tuple[Any, ...]:
    """As BSON the condition is the same whether or not its dates know their time zone."""
    condition = bson.encode(index.get("partialFilterExpression", {}))
    return index.get("unique", False), index.get("expireAfterSeconds"), condition


def _clock(db: Db) -> Finding:
    """Leases are on MongoDB's clock, what people see is on this machine's."""
    asked = now()
    theirs = db.client.admin.command("hello")["localTime"].replace(tzinfo=UTC)
    answered = now()
    apart = (theirs - (asked + (answered - asked) / 2)).total_seconds()
    text = f"{abs(apart):.1f} s {'behind' if apart > 0 else 'ahead of'} MongoDB's"
    advice = "Keep the clocks of all machines right, with chrony or systemd-timesyncd."
    if abs(apart) >= CLOCK_FAULT_SECONDS:
        return fault("clock", text, advice)
    if abs(apart) >= CLOCK_WARN_SECONDS:
        return warn("clock", text, advice)
    return ok("clock", "as MongoDB's")


def _disk(db: Db) -> Finding:
    share = disk_share(db)
    if share is None:
        return ok("MongoDB's disk", "it does not say how full it is")
    if share >= NEARLY_FULL:
        return fault(
            "MongoDB's disk",
            f"{share:.0%} full",
            "Free some space or make it larger: when it is full nothing can be written any more.",
        )
    return ok("MongoDB's disk", f"{share:.0%} full")
