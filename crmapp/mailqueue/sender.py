"""Sends one claimed mail over one connection, and settles it by what came of it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from smtplib import SMTPAuthenticationError

from flask_mail import Message
from pymongo.errors import PyMongoError

from crmapp.database import Db, Document
from crmapp.mailqueue import queue
from crmapp.mailqueue.backoff import retry_delay
from crmapp.mailqueue.replies import Reason, failure_of
from crmapp.mailqueue.smtp import MailConnection

log = logging.getLogger(__name__)

SETTLE_SECONDS = 25.0

Compose = Callable[[Db, Document], Message]


class Unneeded(Exception):
    """Raised by a template's `compose`: nobody needs this mail any more. Its text says why."""


class Sender:
    """`compose` makes the message of a queued mail, by the name of its template."""

    def __init__(
        self, db: Db, compose: dict[str, Compose], max_attempts: int, retry_base: float
    ) -> None:
        self._db = db
        self._compose = compose
        self._max_attempts = max_attempts
        self._retry_base = retry_base

    def send(self, connection: MailConnection, mail: Document) -> None:
        """Send and settle.

        Raises PyMongoError, and smtplib.SMTPAuthenticationError where the server wants a sign-in first: that is
        nobody's attempt.
        """
        try:
            message = self._compose[mail["template"]](self._db, mail)
            message.msgId = mail["messageId"]
            reply = connection.deliver(message)
        except Unneeded as why:
            queue.settle_void(self._db, mail, str(why))
        except (PyMongoError, SMTPAuthenticationError):
            raise
        except Exception as error:
            self._settle_failure(mail, error)
        else:
            self._settle_sent(mail, reply)

    def _settle_sent(self, mail: Document, reply: str) -> None:
        """Again and again while MongoDB is away: a mail whose sending is not on record will be sent again."""
        give_up_at = time.monotonic() + SETTLE_SECONDS
        while True:
            try:
                return queue.settle_sent(self._db, mail, reply)
            except PyMongoError:
                if time.monotonic() > give_up_at:
                    raise
                time.sleep(0.5)

    def _settle_failure(self, mail: Document, error: Exception) -> None:
        failure = failure_of(error)
        if failure.reason is Reason.FAULT:
            log.error("mail %s cannot be made", mail["_id"], exc_info=error)
        attempts = mail["attempts"] + 1
        log.info("mail %s attempt %d: %s", mail["_id"], attempts, failure.reply)
        if failure.final or attempts >= self._max_attempts:
            queue.settle_failed(self._db, mail, failure.reason, failure.reply)
        else:
            delay = retry_delay(attempts, self._retry_base)
            queue.defer(self._db, mail, delay, failure.reason, failure.reply)
