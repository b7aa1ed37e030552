"""Whether MongoDB can be asked now: a client that says so at once, and which errors pass by themselves."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from pymongo import MongoClient
from pymongo.errors import (
    BulkWriteError,
    ConnectionFailure,
    OperationFailure,
    PyMongoError,
    WriteConcernError,
)
from pymongo.monitoring import (
    ServerHeartbeatFailedEvent,
    ServerHeartbeatListener,
    ServerHeartbeatStartedEvent,
    ServerHeartbeatSucceededEvent,
)

if TYPE_CHECKING:
    from pymongo.synchronous.server import Server

# A primary that is not heard of for this long is away; an orderly change of the primary takes less.
GRACE_SECONDS = 2.0
# A server that freezes is noticed after at most both together: its answers to heartbeats stop coming.
HEARTBEAT_MS = 1000
CONNECT_MS = 2000
# A write that MongoDB has not got on to a majority of its nodes by then is reported as unconfirmed.
CONFIRM_MS = 5_000

# What a server says that stops, changes its role, or has no connection to the others (MongoDB's error_codes.yml), and
# what became of an operation that was under way then.
PASSING_CODES = {
    6,  # HostUnreachable
    7,  # HostNotFound
    43,  # CursorNotFound
    64,  # WriteConcernFailed
    89,  # NetworkTimeout
    91,  # ShutdownInProgress
    134,  # ReadConcernMajorityNotAvailableYet
    189,  # PrimarySteppedDown
    237,  # CursorKilled
    262,  # ExceededTimeLimit
    9001,  # SocketException
    10107,  # NotWritablePrimary
    11600,  # InterruptedAtShutdown
    11602,  # InterruptedDueToReplStateChange
    13435,  # NotPrimaryNoSecondaryOk
    13436,  # NotPrimaryOrSecondary
}


class DatabaseAway(PyMongoError):
    """MongoDB has been away for a while, so nothing was sent to it. No ConnectionFailure, because the driver tries
    those again and again inside of a transaction, for up to two minutes."""


class Client(MongoClient[dict[str, Any]]):
    """While MongoDB is known to be away, an operation waits for nothing and raises DatabaseAway. Its monitors go on,
    and find it when it is back."""

    def __init__(self, uri: str, **options: Any) -> None:
        self._primary = _Primary()
        super().__init__(
            uri,
            event_listeners=[self._primary],
            heartbeatFrequencyMS=HEARTBEAT_MS,
            connectTimeoutMS=CONNECT_MS,
            serverSelectionTimeoutMS=int(GRACE_SECONDS * 1000),
            wTimeoutMS=CONFIRM_MS,
            **options,
        )

    # The one place that every operation passes, and every retry of one. The driver has no public hook there.
    def _select_server(self, *args: Any, **options: Any) -> Server:
        # Of a process that was held up itself the heartbeats are late too, but its servers stay known.
        if self._primary.silent_for() > GRACE_SECONDS and (
            not self.topology_description.has_writable_server()
        ):
            raise DatabaseAway(f"no primary for {self._primary.silent_for():.0f} s")
        return super()._select_server(*args, **options)


class _Primary(ServerHeartbeatListener):
    """When the primary was heard of."""

    def __init__(self) -> None:
        self._heard_at = time.monotonic()

    def silent_for(self) -> float:
        return time.monotonic() - self._heard_at

    def started(self, event: ServerHeartbeatStartedEvent) -> None:
        """Nothing is known yet."""

    def succeeded(self, event: ServerHeartbeatSucceededEvent) -> None:
        if event.reply.is_writable:
            self._heard_at = time.monotonic()

    def failed(self, event: ServerHeartbeatFailedEvent) -> None:
        """Its silence is what counts."""


def passes(error: PyMongoError) -> bool:
    """Whether MongoDB is away, changes its primary or cannot confirm a write now: the same is worth trying again.
    What was written may be there nevertheless."""
    if isinstance(error, (ConnectionFailure, DatabaseAway, WriteConcernError)):
        return True
    if isinstance(error, BulkWriteError):
        codes = {fault["code"] for fault in error.details["writeErrors"]}
        return codes <= PASSING_CODES
    return isinstance(error, OperationFailure) and error.code in PASSING_CODES
