"""Empties the queue day and night: one claimer, and as many connections as were asked for."""

from __future__ import annotations

import logging
import smtplib
import threading
import time
from collections.abc import Callable
from queue import Empty, Queue

from flask import Flask
from pymongo.errors import PyMongoError

from crmapp.database import Db, Document
from crmapp.mailqueue import queue
from crmapp.mailqueue.backoff import outage_delay
from crmapp.mailqueue.replies import outage_of
from crmapp.mailqueue.sender import Sender
from crmapp.mailqueue.smtp import MailConnection

log = logging.getLogger(__name__)

# A connection that has nothing to do is kept this long.
IDLE_SECONDS = 10.0


class Drain:
    """`changed` is called after each mail that left the queue, with the mail."""

    def __init__(
        self,
        app: Flask,
        db: Db,
        sender: Sender,
        connections: int,
        batch: int,
        lease_seconds: int,
        changed: Callable[[Document], None],
    ) -> None:
        self._app = app
        self._db = db
        self._sender = sender
        self._batch = batch
        self._lease_seconds = lease_seconds
        self._changed = changed
        self._claimed: Queue[tuple[Document, float]] = Queue(maxsize=connections)
        self._claiming_ended = threading.Event()
        self._outages = 0
        self._closed_until = 0.0

    def loop(self, bell: threading.Event, stopping: threading.Event, sweep_seconds: float) -> None:
        """Claim whenever the bell rings, and every `sweep_seconds` for a ring that was lost."""
        while not stopping.is_set():
            bell.clear()
            while not stopping.is_set() and self.step(stopping):
                pass
            wait = self._closed_until - time.monotonic()
            if wait > 0:
                stopping.wait(timeout=wait)
            else:
                bell.wait(timeout=min(sweep_seconds, self._seconds_to_next()))
        self._claiming_ended.set()

    def step(self, stopping: threading.Event) -> bool:
        """Claim a batch and hand it to the connections. Says whether there was one."""
        if time.monotonic() < self._closed_until:
            return False
        expires = time.monotonic() + self._lease_seconds
        try:
            mails = queue.claim(self._db, self._batch, self._lease_seconds)
        except PyMongoError as error:
            log.warning("cannot claim mail: %s", error)
            stopping.wait(timeout=1.0)
            return False
        for mail in mails:
            self._changed(mail)
            self._claimed.put((mail, expires))
        return bool(mails)

    def _seconds_to_next(self) -> float:
        """A deferred mail is sent when its time comes, not at the next sweep."""
        try:
            return queue.seconds_to_next(self._db)
        except PyMongoError:
            return 1.0

    def send_loop(self, stopping: threading.Event) -> None:
        """One connection: sends what was claimed; once told to stop, gives it back untried."""
        with self._app.app_context():
            connection = MailConnection(self._app.extensions["mail"])
            used_at = 0.0
            while not (self._claiming_ended.is_set() and self._claimed.empty()):
                try:
                    mail, expires = self._claimed.get(timeout=1.0)
                except Empty:
                    if time.monotonic() - used_at > IDLE_SECONDS:
                        connection.close()
                    continue
                self._send(connection, mail, expires, stopping)
                used_at = time.monotonic()
            connection.close()

    def _send(
        self,
        connection: MailConnection,
        mail: Document,
        expires: float,
        stopping: threading.Event,
    ) -> None:
        now = time.monotonic()
        # A mail that waited long for its turn may belong to somebody else before it is sent.
        too_late = now > expires - self._lease_seconds / 2
        try:
            if stopping.is_set() or too_late or now < self._closed_until:
                queue.release(self._db, mail)
            elif self._open(connection, mail):
                self._sender.send(connection, mail)
        except smtplib.SMTPAuthenticationError as error:
            connection.close()
            self._close_for_a_while(error)
            queue.release(self._db, mail)
        except PyMongoError as error:
            log.warning("mail %s stays claimed until its lease lapses: %s", mail["_id"], error)
        except Exception:
            log.exception("mail %s stays claimed until its lease lapses", mail["_id"])
        self._changed(mail)

    def _open(self, connection: MailConnection, mail: Document) -> bool:
        """Be connected; where the server cannot be used, nobody's attempt is spent and the whole queue waits."""
        try:
            connection.open()
        except OSError as error:
            self._close_for_a_while(error)
            queue.release(self._db, mail)
            return False
        self._outages = 0
        return True

    def _close_for_a_while(self, error: OSError) -> None:
        if time.monotonic() < self._closed_until:
            return
        self._outages += 1
        delay = outage_delay(self._outages)
        self._closed_until = time.monotonic() + delay
        log.warning("%s, next try in %.0f s: %s", outage_of(error), delay, error)
