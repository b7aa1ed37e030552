"""Empties the queue day and night: one loop claims, one composes, and as many send as connections were asked for."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from queue import Full, Queue

from flask import Flask
from pymongo.errors import PyMongoError

from config import Settings
from crmapp.database import Db, Document
from crmapp.mailqueue import queue, rate
from crmapp.mailqueue.composer import Batch, Composer, all_of
from crmapp.mailqueue.gate import Gate
from crmapp.mailqueue.letter import Compose
from crmapp.mailqueue.sender import Attempts, Claimed, Sender
from crmapp.mailqueue.settler import NOTERS, Settler
from crmapp.mailqueue.smtp import MailConnection

log = logging.getLogger(__name__)

RETRY_SECONDS = 1.0


class Drain:
    """`changed` is called for each mail that was claimed or settled, `health_changed` when the pages have something
    else to say of the queue."""

    def __init__(
        self,
        app: Flask,
        db: Db,
        templates: Mapping[str, Compose],
        stopping: threading.Event,
        changed: Callable[[Document], None],
        health_changed: Callable[[], None],
    ) -> None:
        self._app = app
        self._db = db
        self._settings: Settings = app.config["SETTINGS"]
        self._stopping = stopping
        self._gate = Gate(db, stopping, health_changed)
        self._turns = queue.Turns()
        self._wait = 0.0
        self._batches: Queue[Batch] = Queue(maxsize=1)
        self._claimed: Queue[Claimed] = Queue(maxsize=self._settings.email_batch)
        self._attempts = Attempts(
            db,
            self._gate,
            self._settings.email_max_attempts,
            self._settings.email_retry_base_seconds,
        )
        sender = self._settings.mail_default_sender
        self._composer = Composer(db, templates, sender, self._gate, self._attempts, changed)
        self._settler = Settler(db, self._settings.email_connections, stopping, changed)

    def loops(self, bell: threading.Event) -> dict[str, Callable[[], None]]:
        """Every loop, by name: each runs in a thread of its own until the process is to stop."""
        loops = {
            "drain": lambda: self._claim_loop(bell),
            "composer": lambda: self._composer.loop(self._batches, self._claimed),
            "remover": self._settler.removal_loop,
        }
        for number in range(NOTERS):
            loops[f"noter-{number}"] = self._settler.noting_loop
        for number in range(self._settings.email_connections):
            loops[f"smtp-{number}"] = self._send_loop
        return loops

    def sent_last_minute(self) -> int:
        return self._settler.sent_in(59)

    def _claim_loop(self, bell: threading.Event) -> None:
        """Claim whenever the bell rings, and every EMAIL_SWEEP_SECONDS for a ring that was lost."""
        while not self._stopping.is_set():
            bell.clear()
            while not self._stopping.is_set() and self.step():
                pass
            bell.wait(timeout=self._seconds_to_wait())
        for mails, _, _ in all_of(self._batches):
            self._composer.give_back(mails)

    def step(self) -> bool:
        """Claim a batch and hand it to the composer. Says whether there was one."""
        self._wait = 0.0
        # Where the server asked for less, one mail is claimed at a time.
        self._stopping.wait(timeout=self._gate.pace.take_turn())
        try:
            self._gate.look()
            count, good_for = self._permitted() if self._gate.is_open else (0, 0.0)
            claimed_at = time.monotonic()
            mails = self._claim(count) if count else []
        except PyMongoError as error:
            log.warning("cannot claim mail: %s", error)
            self._wait = RETRY_SECONDS
            return False
        if mails:
            send_by = claimed_at + self._settings.email_lease_seconds / 2
            self._hand_over((mails, min(claimed_at + good_for, send_by), send_by))
        return bool(mails)

    def _permitted(self) -> tuple[int, float]:
        """How many mails to claim, and for how many seconds they may be begun."""
        settings = self._settings
        # As many as leave within a second or two: who comes later is not to wait behind what is claimed. With a short
        # lease fewer, because several batches wait here at once.
        seconds = min(1.0, settings.email_lease_seconds / 16)
        count = max(settings.email_connections, int(seconds * self._settler.sent_in(1)))
        count = 1 if self._gate.in_trouble else min(settings.email_batch, count)
        self._claimed.maxsize = count
        good_for = settings.email_lease_seconds / 2
        if not settings.mail_max_per_minute:
            return count, good_for
        if not queue.any_due(self._db):
            return 0, good_for
        count = min(count, settings.email_connections)
        granted, self._wait = rate.take(self._db, count, settings.mail_max_per_minute)
        return granted, min(good_for, rate.GOOD_FOR_SECONDS)

    def _claim(self, count: int) -> list[Document]:
        return queue.claim(self._db, count, self._settings.email_lease_seconds, self._turns)

    def _hand_over(self, batch: Batch) -> None:
        while not self._stopping.is_set():
            try:
                return self._batches.put(batch, timeout=RETRY_SECONDS)
            except Full:
                continue
        return self._composer.give_back(batch[0])

    def _seconds_to_wait(self) -> float:
        if self._wait or self._gate.seconds_closed():
            return max(self._wait, self._gate.seconds_closed())
        sweep = float(self._settings.email_sweep_seconds)
        if self._gate.paused:
            return sweep
        try:
            # A deferred mail is sent when its time comes, not at the next sweep.
            return min(sweep, queue.seconds_to_next(self._db))
        except PyMongoError:
            return RETRY_SECONDS

    def _send_loop(self) -> None:
        """One connection."""
        mail = self._app.extensions["mail"]
        connection = MailConnection(mail, self._settings.email_lease_seconds)
        Sender(
            self._db, connection, self._claimed, self._gate, self._settler, self._attempts
        ).loop()
        self._settler.leave()
