"""The MongoDB connection of this process, and every collection's indexes in one place."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast

from flask import Flask, current_app
from pymongo import DESCENDING, TEXT, IndexModel
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import OperationFailure
from werkzeug.local import LocalProxy

from crmapp.availability import Client

Document = dict[str, Any]
Db = Database[Document]

NEWEST = [("createdAt", DESCENDING), ("_id", DESCENDING)]
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)

# No index of `leads` holds what an activation changes (status, userId, activatedAt): before MongoDB 7.0, an update
# that touches any indexed field recomputes the keys of every index, which made moving a lead to `active` ten times
# dearer (see docs/architecture.md).
INDEXES: dict[str, list[IndexModel]] = {
    "leads": [
        IndexModel([("email", 1), ("_id", 1)]),
        IndexModel([("name", 1), ("_id", 1)]),
        IndexModel(NEWEST),
        *(IndexModel([(name, 1), *NEWEST]) for name in ("company", "source", "agentId", "tags")),
        IndexModel("words"),
        *(
            IndexModel([(name, 1), ("_id", 1)], partialFilterExpression={name: {"$exists": True}})
            for name in ("activationId", "importId")
        ),
    ],
    "selections": [IndexModel("expireAt", expireAfterSeconds=0)],
    "selection_parts": [
        IndexModel([("selectionId", 1), ("n", 1)], unique=True),
        IndexModel("expireAt", expireAfterSeconds=0),
    ],
    "saved_filters": [IndexModel([("userId", 1), ("name", 1)], unique=True)],
    "imports": [
        IndexModel([("createdAt", DESCENDING)]),
        IndexModel("expireAt", expireAfterSeconds=0),
    ],
    "import_blocks": [
        IndexModel([("fileId", 1), ("at", 1)], unique=True),
        IndexModel("expireAt", expireAfterSeconds=0),
    ],
    "users": [
        IndexModel("email", unique=True),
        IndexModel(
            "leadId", unique=True, partialFilterExpression={"leadId": {"$type": "objectId"}}
        ),
        # Of those who work here; who was a lead has no entry.
        IndexModel("role", partialFilterExpression={"role": {"$lt": "user"}}),
        IndexModel("online", partialFilterExpression={"online": True}),
        # Of those who have been here; an activation writes no entry.
        IndexModel("lastSeenAt", partialFilterExpression={"lastSeenAt": {"$gt": LONG_AGO}}),
    ],
    "sessions": [
        IndexModel([("userId", 1), ("lastSeenAt", DESCENDING)]),
        IndexModel("expireAt", expireAfterSeconds=0),
    ],
    "api_tokens": [IndexModel("hash", unique=True), IndexModel("userId")],
    "audit": [
        IndexModel([("at", DESCENDING), ("_id", DESCENDING)]),
        *(IndexModel([(name, 1), ("at", DESCENDING)]) for name in ("by.id", "what", "address")),
    ],
    "jobs": [
        IndexModel([("status", 1), ("userId", 1)]),
        IndexModel([("userId", 1), ("endTime", DESCENDING)]),
        IndexModel([("phase", 1), ("createdAt", 1)]),
        IndexModel([("createdAt", DESCENDING)]),
        IndexModel("retryOf"),
        IndexModel(
            "exclusive", unique=True, partialFilterExpression={"exclusive": {"$exists": True}}
        ),
    ],
    "job_items": [IndexModel([("jobId", 1), ("_id", 1)])],
    "activation_progress": [
        IndexModel("sessionId", unique=True),
        IndexModel("expireAt", expireAfterSeconds=0),
    ],
    "job_errors": [IndexModel([("jobId", 1), ("state", 1)])],
    "pending_emails": [
        IndexModel([("status", 1), ("visibleAt", 1)]),
        IndexModel([("sessionId", 1), ("status", 1), ("visibleAt", 1)]),
    ],
    "failed_emails": [
        IndexModel("sessionId"),
        IndexModel("userId"),
        IndexModel([("dropped", 1), ("reason", 1)]),
    ],
    "events": [
        IndexModel([("sessionId", 1), ("type", 1)]),
        IndexModel([("userId", 1), ("at", DESCENDING)]),
        IndexModel([("type", 1), ("at", DESCENDING)]),
        IndexModel("repeat", partialFilterExpression={"repeat": {"$exists": True}}),
        IndexModel(
            [("leadId", 1), ("at", DESCENDING)],
            partialFilterExpression={"leadId": {"$exists": True}},
        ),
    ],
    "journal_entries": [
        IndexModel([("at", DESCENDING), ("_id", DESCENDING)]),
        IndexModel([("leadId", 1), ("at", DESCENDING), ("_id", DESCENDING)]),
    ],
    "goals": [IndexModel("userId"), IndexModel([("to", DESCENDING)])],
    "documents": [
        IndexModel([("type", 1), ("sourceId", 1)], unique=True),
        IndexModel([("type", 1), ("date", DESCENDING), ("_id", DESCENDING)]),
        IndexModel("ownerId"),
        IndexModel([("title", TEXT), ("text", TEXT)], weights={"title": 4}),
    ],
    "workers": [IndexModel("seenAt", expireAfterSeconds=86_400)],
}


DUPLICATE_KEY = 11000
CHANGED_INDEX = (85, 86)  # IndexOptionsConflict, IndexKeySpecsConflict


class StandaloneError(RuntimeError):
    """The MongoDB that was configured cannot do transactions."""


def connect(uri: str) -> Db:
    """The database that `uri` names ("crmapp" where it names none). Connects lazily. While it is away, every operation
    raises a PyMongoError at once."""
    client = Client(
        uri,
        tz_aware=True,
        # A date beyond the year 9999, which other programs may write, must not keep a list from being read.
        datetime_conversion="DATETIME_CLAMP",
        w="majority",
        appname="crmapp",
    )
    return client.get_default_database("crmapp")


def require_replica_set(db: Db) -> None:
    """Raise StandaloneError where transactions are not to be had, PyMongoError where nothing answers."""
    hello = db.client.admin.command("hello")
    if "setName" not in hello and hello.get("msg") != "isdbgrid":
        raise StandaloneError(
            "MONGODB_URI names a standalone mongod, which has no transactions: start it with "
            "--replSet rs0 and run rs.initiate() once (one node is enough)."
        )


def create_indexes(db: Db) -> None:
    """Create what is missing, and make anew what an older version defined otherwise."""
    for collection, indexes in INDEXES.items():
        try:
            db[collection].create_indexes(indexes)
        except OperationFailure as error:
            if error.code not in CHANGED_INDEX:
                raise
            _replace_changed(db[collection], indexes)


def _replace_changed(collection: Collection[Document], indexes: list[IndexModel]) -> None:
    """One by one, so that those that are as they should be, unique ones above all, hold all the time."""
    for index in indexes:
        try:
            collection.create_indexes([index])
        except OperationFailure as error:
            if error.code not in CHANGED_INDEX:
                raise
            wanted = index.document
            for name, there in collection.index_information().items():
                if name == wanted["name"] or there["key"] == list(wanted["key"].items()):
                    collection.drop_index(name)
            collection.create_indexes([index])


def init_app(app: Flask, database: Db) -> None:
    app.extensions["database"] = database


def current() -> Db:
    """The database of the current application."""
    return cast(Db, current_app.extensions["database"])


db = cast(Db, LocalProxy(current))
