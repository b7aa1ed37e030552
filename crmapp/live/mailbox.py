"""What one reader has not been sent yet: the newest event of each topic, however far behind it is."""

from __future__ import annotations

import time
from contextlib import suppress
from queue import SimpleQueue
from socket import SHUT_RDWR, socket

from crmapp.live.events import Event
from crmapp.live.shortcut import Shortcut

# A busy reader is written to at most this often; an idle one at once.
MIN_INTERVAL_SECONDS = 0.1


class Mailbox:
    """Filled by the hub, emptied by its one reader. A slow reader costs one slot per topic."""

    __slots__ = (
        "_asleep",
        "_bell",
        "_connection",
        "_sent",
        "_shortcut",
        "_slots",
        "late",
        "ready_at",
        "rooms",
        "stale",
    )

    def __init__(
        self,
        rooms: tuple[str, ...],
        connection: socket | None = None,
        shortcut: Shortcut | None = None,
    ) -> None:
        self.rooms = rooms
        self.late = False  # the hub has it on its list of those to be woken later
        self._connection = connection
        self._shortcut = shortcut
        self.stale = True  # the snapshot is still to be read, or to be read again
        self.ready_at = 0.0
        self._slots: dict[str, Event] = {}
        self._sent: dict[str, int] = {}
        self._bell: SimpleQueue[None] = SimpleQueue()
        self._asleep = False

    def put(self, event: Event) -> bool:
        """Keep `event` if it is newer than what its topic has. Says whether it did."""
        name = event.topic.name
        held = self._slots.get(name)
        newest = held.rev if held else self._sent.get(name, -1)
        if event.rev <= newest:
            return False
        self._slots[name] = event
        return True

    def ring(self) -> None:
        """Give a sleeping reader what waits for it: by the shortcut, or by waking it."""
        if self._asleep and not self._served():
            self._asleep = False
            self._bell.put(None)

    def _served(self) -> bool:
        """A stream that may end, or has its snapshot to read, needs its own greenlet."""
        if self._shortcut is None or self.stale or not self._slots:
            return False
        if any(event.final for event in self._slots.values()):
            return False
        return self._shortcut.write(self.take())

    def wait(self) -> None:
        """Sleep until somebody rings; returns at once where there is something to send or to read.

        Raises OSError where the reader turns out to be gone.
        """
        self._asleep = True
        if self.stale or (self._slots and self.ready_at <= time.monotonic()):
            self._asleep = False
            return
        self._bell.get()
        if self._shortcut:
            self._shortcut.finish()

    def hang_up(self) -> None:
        """Break a write off that the reader does not take."""
        if self._connection is not None:
            with suppress(OSError):
                self._connection.shutdown(SHUT_RDWR)

    def take(self) -> list[Event]:
        """Everything that waits, oldest topic first. What it returns counts as sent."""
        events = []
        while self._slots:
            name, event = self._slots.popitem()
            self._sent[name] = event.rev
            events.append(event)
        self.ready_at = time.monotonic() + MIN_INTERVAL_SECONDS
        return events[::-1]
