"""flask-sse's blueprint, with one shared connection pool, a hub for the readers, and a publisher that never waits."""

from __future__ import annotations

import logging
import random
import socket
import time
from collections.abc import Callable, Iterable, Iterator

from flask import Flask, Response, current_app, request
from flask_sse import ServerSentEventsBlueprint
from pymongo.errors import PyMongoError
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from crmapp.live.events import Event
from crmapp.live.hub import Hub
from crmapp.live.mailbox import Mailbox
from crmapp.live.shortcut import shortcut_of
from crmapp.live.topics import RECHECK, Topic

log = logging.getLogger(__name__)

FIRST_BYTES = b"retry: 2000\n\n"
HEARTBEAT = b": \n\n"
# A stream is ended, and opened again by the browser, about this often, so that none lives for ever.
RECYCLE_SECONDS = 600
# A reader whose connection takes nothing for this long is gone.
WRITE_TIMEOUT_SECONDS = 60

Snapshot = Callable[[], Iterable[Event]]


class LiveBlueprint(ServerSentEventsBlueprint):
    """`publish` and `messages` as in flask-sse, over one hub per process instead of a subscription per reader."""

    def init_app(self, app: Flask, redis_url: str, namespace: str) -> None:
        """`namespace` keeps installations that share one Redis apart."""
        client = Redis.from_url(
            redis_url,
            retry=Retry(NoBackoff(), 0),
            socket_connect_timeout=0.25,
            socket_timeout=0.25,
        )
        # The subscription waits for messages for as long as it takes, so its socket has no read timeout.
        listener = Redis.from_url(
            redis_url, retry=Retry(NoBackoff(), 0), socket_connect_timeout=2, socket_timeout=None
        )
        app.extensions["live"] = _State(client, Hub(listener, namespace), namespace)

    @property
    def redis(self) -> Redis:
        return _state().redis

    @property
    def hub(self) -> Hub:
        return _state().hub

    def announce(self, topic: Topic, type: str, rev: int, data: str) -> None:
        """Tell every reader of `topic` its newest state, JSON text `data`. Never raises and never waits long:
        the state is in MongoDB already, and who misses this finds it there."""
        self._publish(topic, data, type, str(rev))

    def ring(self, name: str) -> None:
        """Wake whoever waits for the bell `name`, here and in other processes. A lost ring is made up by a sweep."""
        self.hub.bell(name).set()
        self._publish(Topic(name), "1", "bell", "0")

    def recheck(self, user_id: str) -> None:
        """Have every stream of the user, in every process, ask again whether it may stay. Where Redis is away, those
        of other processes ask at their next heartbeat."""
        self.hub.recheck(user_id)
        self._publish(Topic(RECHECK, user_id), "1", "recheck", "0")

    def _publish(self, topic: Topic, data: str, type: str, id: str) -> None:
        state = _state()
        if time.monotonic() < state.quiet_until:
            return
        try:
            self.publish(data, type=type, id=id, channel=topic.channel(state.namespace))
        except RedisError as error:
            state.quiet_until = time.monotonic() + 1.0
            if not state.down:
                log.warning("not announced: Redis does not answer (%s)", error)
            state.down = True
        else:
            state.down = False

    def messages(
        self, mailbox: Mailbox, snapshot: Snapshot, allowed: Callable[[], bool], until_final: bool
    ) -> Iterator[bytes]:
        """The bytes of one stream: the snapshot at once, then what is newer, and heartbeats.

        `snapshot` is read after joining the hub, again when the hub has lost events, and at every heartbeat,
        where `allowed` is asked too: False ends the stream. So does a final event where `until_final` is set,
        and the end of the hub. Neither function has an application context.
        """
        return _frames(self.hub, mailbox, snapshot, allowed, until_final)

    def stream_to_reader(
        self,
        rooms: tuple[str, ...],
        snapshot: Snapshot,
        allowed: Callable[[], bool],
        *,
        until_final: bool = False,
    ) -> Response:
        """The response of a stream to one reader in `rooms`; the rest as for `messages`."""
        connection: socket.socket | None = request.environ.get("gunicorn.socket")
        if connection is not None:
            # Without this a write to a reader that takes nothing would wait for ever.
            connection.settimeout(WRITE_TIMEOUT_SECONDS)
        frames = self.messages(
            Mailbox(rooms, connection, shortcut_of(request.environ)),
            snapshot,
            lambda: not _hung_up(connection) and allowed(),
            until_final,
        )
        response = Response(frames, mimetype="text/event-stream")
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Accel-Buffering"] = "no"
        return response


def _frames(
    hub: Hub,
    mailbox: Mailbox,
    snapshot: Snapshot,
    allowed: Callable[[], bool],
    until_final: bool,
) -> Iterator[bytes]:
    ends_at = time.monotonic() + RECYCLE_SECONDS * random.uniform(0.9, 1.1)  # noqa: S311
    hub.join(mailbox)
    try:
        yield FIRST_BYTES
        while not hub.stopped and time.monotonic() < ends_at:
            if mailbox.stale:
                if not _may_stay(allowed):
                    return
                _catch_up(mailbox, snapshot)
            events = mailbox.take()
            if events:
                yield b"".join([event.frame for event in events])
                if until_final and events[-1].final:
                    return
            else:
                yield HEARTBEAT
            mailbox.wait()
    finally:
        hub.leave(mailbox)


def _may_stay(allowed: Callable[[], bool]) -> bool:
    try:
        return allowed()
    except PyMongoError:
        return True  # who cannot be asked about now is asked about at the next heartbeat


def _catch_up(mailbox: Mailbox, snapshot: Snapshot) -> None:
    mailbox.stale = False
    try:
        for event in snapshot():
            mailbox.put(event)
    except PyMongoError as error:
        # The reader keeps its stream and what it has been told; the next heartbeat tries again.
        log.warning("no snapshot: MongoDB does not answer (%s)", error)


def _hung_up(connection: socket.socket | None) -> bool:
    """A browser that went away is otherwise noticed only by the second write after it."""
    if connection is None:
        return False
    connection.settimeout(0)  # gevent's sockets wait for data even under MSG_DONTWAIT
    try:
        return connection.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True
    finally:
        connection.settimeout(WRITE_TIMEOUT_SECONDS)


class _State:
    def __init__(self, redis: Redis, hub: Hub, namespace: str) -> None:
        self.redis = redis
        self.hub = hub
        self.namespace = namespace
        self.quiet_until = 0.0
        self.down = False


def _state() -> _State:
    return current_app.extensions["live"]


live = LiveBlueprint("live", __name__)
