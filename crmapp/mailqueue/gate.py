"""Whether mail may leave this process now: not while the queue is paused, the mail server cannot be used, or the
process is about to stop."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from pymongo.errors import PyMongoError

from crmapp.database import Db
from crmapp.mailqueue import control
from crmapp.mailqueue.backoff import outage_delay
from crmapp.mailqueue.pace import Pace
from crmapp.mailqueue.replies import outage_of, words_of

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.1


class Gate:
    """One per process. `changed` is called when what the pages say of the queue's health has changed."""

    def __init__(self, db: Db, stopping: threading.Event, changed: Callable[[], None]) -> None:
        self._db = db
        self._changed = changed
        self.stopping = stopping
        self.paused = False
        self.pace = Pace()
        self._outages = 0
        self._closed_until = 0.0
        self._look_at = 0.0

    @property
    def is_open(self) -> bool:
        return not (self.paused or self.stopping.is_set() or self.seconds_closed() > 0)

    @property
    def in_trouble(self) -> bool:
        """Whether it is wiser to try with one mail than with many."""
        return bool(self._outages or self.pace.gap)

    def seconds_closed(self) -> float:
        return max(0.0, self._closed_until - time.monotonic())

    def look(self) -> None:
        """See whether the queue is paused, unless that was seen to be not so just now. Raises PyMongoError."""
        if self.paused or time.monotonic() >= self._look_at:
            self.paused = control.paused(self._db) is not None
            self._look_at = time.monotonic() + LOOK_SECONDS

    def close(self, error: Exception) -> None:
        """The mail server cannot be used: nobody's attempt is spent, and the whole queue waits, longer each time."""
        if self.seconds_closed() > 0:
            return
        self._outages += 1
        delay = outage_delay(self._outages)
        self._closed_until = time.monotonic() + delay
        reason, words = outage_of(error), words_of(error)
        log.warning("%s, next try in %.0f s: %s", reason, delay, words)
        self._tell(lambda: control.note_outage(self._db, reason, words, delay))

    def connected(self) -> None:
        """The mail server let us in."""
        self._outages = 0
        self._tell(lambda: control.note_recovery(self._db))

    def complained(self, words: str) -> None:
        """The mail server asks for less."""
        if self.pace.slow_down():
            log.warning(
                "the mail server asks for less, %.1f s between mails: %s", self.pace.gap, words
            )
            self._tell(lambda: control.note_slowed(self._db, words))

    def went_well(self) -> None:
        """The mail server took a mail."""
        if self.pace.went_well():
            self._tell(lambda: control.note_full_speed(self._db))

    def _tell(self, note: Callable[[], None]) -> None:
        try:
            note()
        except PyMongoError as error:
            log.warning("not noted: %s", error)
        self._changed()
