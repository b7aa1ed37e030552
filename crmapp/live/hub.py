"""One per process: hears every event over one pub/sub connection and puts it into the readers' mailboxes."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import defaultdict, deque
from typing import Any

from redis import Redis
from redis.client import PubSub
from redis.exceptions import RedisError

from crmapp.live.events import Event, make_event
from crmapp.live.mailbox import Mailbox
from crmapp.live.topics import PREFIX, RECHECK, Topic, logins_room

log = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 15
PACE_SECONDS = 0.01
RECONNECT_SECONDS = 0.5
# A connection that says nothing is pinged after this long, and dead after twice as long.
SILENCE_SECONDS = 5
# A reader that takes nothing cannot be told goodbye; after this long it is hung up on.
GOODBYE_SECONDS = 1


class Hub:
    """Joins this process's readers to the events of all processes."""

    def __init__(self, redis: Redis, namespace: str) -> None:
        self._redis = redis
        self._pattern = f"{PREFIX}:{namespace}:*"
        self._rooms: defaultdict[str, set[Mailbox]] = defaultdict(set)
        self._bells: defaultdict[str, threading.Event] = defaultdict(threading.Event)
        self._late: deque[Mailbox] = deque()
        self._late_bell = threading.Event()
        self._heartbeat_at = time.monotonic() + HEARTBEAT_SECONDS
        self._started = threading.Lock()
        self._down = False
        self.stopped = False

    def join(self, mailbox: Mailbox) -> None:
        """From now on `mailbox` gets what is said in its rooms. Read the snapshot after this, not before."""
        self._start_once()
        for room in mailbox.rooms:
            self._rooms[room].add(mailbox)

    def leave(self, mailbox: Mailbox) -> None:
        for room in mailbox.rooms:
            self._rooms[room].discard(mailbox)
            if not self._rooms[room]:
                del self._rooms[room]

    def bell(self, name: str) -> threading.Event:
        """Set whenever any process rings the bell of this name. Who waits for it clears it."""
        self._start_once()
        return self._bells[name]

    def recheck(self, user_id: str) -> None:
        """Have every stream of the user ask again whether it may stay."""
        self._refresh(self._rooms.get(logins_room(user_id), set()))

    def stop(self) -> None:
        """End every stream, so that a server that was told to stop need not wait for its readers. Waits for them for
        up to GOODBYE_SECONDS."""
        self.stopped = True
        self._late_bell.set()
        self._refresh_everybody()
        give_up_at = time.monotonic() + GOODBYE_SECONDS
        while self._rooms and time.monotonic() < give_up_at:
            time.sleep(PACE_SECONDS)
        for mailbox in self._everybody():
            mailbox.hang_up()

    def _start_once(self) -> None:
        if self._started.acquire(blocking=False):
            threading.Thread(target=self._listen, name="hub", daemon=True).start()
            threading.Thread(target=self._pace, name="hub-pace", daemon=True).start()

    def _listen(self) -> None:
        while not self.stopped:
            try:
                with self._redis.pubsub() as pubsub:
                    pubsub.psubscribe(self._pattern)
                    self._hear_all(pubsub)
            except RedisError as error:
                if not self._down and not self.stopped:
                    log.warning("events are off, pages poll: Redis does not answer (%s)", error)
                self._down = True
                time.sleep(RECONNECT_SECONDS)

    def _hear_all(self, pubsub: PubSub) -> None:
        heard_at = pinged_at = time.monotonic()
        while not self.stopped:
            message = pubsub.get_message(timeout=1.0)
            now = time.monotonic()
            if message is not None:
                heard_at = now
                self._deliver_newest(self._take_all(pubsub, message))
            elif now - heard_at > 2 * SILENCE_SECONDS:
                raise RedisError("the subscription has gone silent")
            elif now - pinged_at > SILENCE_SECONDS:
                pubsub.ping()
                pinged_at = now

    def _take_all(self, pubsub: PubSub, message: dict[str, Any] | None) -> dict[bytes, bytes]:
        """What has arrived by now, of each channel only the newest: in a burst the others are old already."""
        newest: dict[bytes, bytes] = {}
        until = time.monotonic() + PACE_SECONDS
        while message is not None:
            if message["type"] == "psubscribe":
                self._subscribed()
            elif message["type"] == "pmessage":
                newest[message["channel"]] = message["data"]
            message = pubsub.get_message(timeout=0) if time.monotonic() < until else None
        return newest

    def _subscribed(self) -> None:
        """What was said while nobody listened is lost."""
        if self._down:
            log.warning("events are on again")
        self._down = False
        self._refresh_everybody()

    def _refresh_everybody(self) -> None:
        """Every reader reads its snapshot again; at heartbeats too, for an event whose publisher died."""
        self._refresh(self._everybody())

    def _refresh(self, mailboxes: set[Mailbox]) -> None:
        for mailbox in list(mailboxes):
            mailbox.stale = True
            mailbox.ring()

    def _deliver_newest(self, newest: dict[bytes, bytes]) -> None:
        for channel, data in newest.items():
            try:
                self._hear(Topic.of_channel(channel.decode()), data)
            except (ValueError, KeyError):
                log.warning("not an event of ours on %r", channel)

    def _hear(self, topic: Topic, data: bytes) -> None:
        if topic.name in self._bells:
            self._bells[topic.name].set()
            return
        if topic.name == RECHECK:
            self.recheck(topic.owner)
            return
        readers = [self._rooms[room] for room in topic.rooms if room in self._rooms]
        if not readers:
            return
        message = json.loads(data)
        self._deliver(
            make_event(topic, message["type"], int(message["id"]), message["data"]), readers
        )

    def _deliver(self, event: Event, readers: list[set[Mailbox]]) -> None:
        now = time.monotonic()
        for mailbox in set().union(*readers) if len(readers) > 1 else list(readers[0]):
            if mailbox.put(event):
                if mailbox.ready_at <= now:
                    mailbox.ring()
                elif not mailbox.late:
                    mailbox.late = True
                    self._late.append(mailbox)
        if self._late:
            self._late_bell.set()

    def _pace(self) -> None:
        """Wake those who were written to a moment ago when their time has come, and all for the heartbeat."""
        while not self.stopped:
            self._late_bell.wait(timeout=1.0)
            self._late_bell.clear()
            while self._late and not self.stopped:
                time.sleep(PACE_SECONDS)
                self._wake_the_late()
            if time.monotonic() >= self._heartbeat_at:
                self._heartbeat_at = time.monotonic() + HEARTBEAT_SECONDS
                self._refresh_everybody()

    def _wake_the_late(self) -> None:
        """They stand about in the order in which their time comes; who stands behind a later one waits with it."""
        now = time.monotonic()
        while self._late and self._late[0].ready_at <= now:
            mailbox = self._late.popleft()
            mailbox.late = False
            mailbox.ring()

    def _everybody(self) -> set[Mailbox]:
        return set().union(*list(self._rooms.values()))
