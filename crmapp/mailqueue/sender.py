"""One connection to the mail server, and what becomes of the mails that go over it."""

from __future__ import annotations

import logging
import smtplib
import time
from dataclasses import dataclass
from queue import Empty, Queue

from pymongo.errors import PyMongoError

from crmapp.database import Db, Document
from crmapp.mailqueue import queue
from crmapp.mailqueue.backoff import retry_delay
from crmapp.mailqueue.gate import Gate
from crmapp.mailqueue.letter import Envelope, Unneeded
from crmapp.mailqueue.replies import Reason, Refusal, asks_for_less, failure_of
from crmapp.mailqueue.settler import Receipt, Settler
from crmapp.mailqueue.smtp import MailConnection, Outcome

log = logging.getLogger(__name__)

# A connection that has nothing to do is kept this long.
IDLE_SECONDS = 10.0
# So often a mail is held back without an attempt being spent, because the server asked for less mail.
PATIENCE = 20


@dataclass(frozen=True, slots=True)
class Claimed:
    """A mail that is ours, ready to be sent. Times are of the monotonic clock: after `begin_by` its permit has run out,
    after `send_by` it may be somebody else's before it is settled."""

    mail: Document
    envelope: Envelope
    begin_by: float
    send_by: float


class Attempts:
    """What a failed attempt means for the mail."""

    def __init__(self, db: Db, gate: Gate, max_attempts: int, retry_base: float) -> None:
        self._db = db
        self._gate = gate
        self._max_attempts = max_attempts
        self._retry_base = retry_base

    def failed(self, mail: Document, error: Exception) -> None:
        """Settle `mail`, or have it tried again later. Raises PyMongoError."""
        if isinstance(error, Unneeded):
            return queue.settle_void(self._db, mail, str(error))
        failure = failure_of(error)
        if failure.reason is Reason.FAULT:
            log.error("mail %s cannot be made", mail["_id"], exc_info=error)
        attempts, throttles = mail["attempts"] + 1, mail.get("throttles", 0)
        log.info("mail %s attempt %d: %s", mail["_id"], attempts, failure.reply)
        delay = retry_delay(attempts + throttles, self._retry_base)
        if asks_for_less(error) and throttles < PATIENCE:
            self._gate.complained(failure.reply)
            queue.hold_back(self._db, mail, delay, failure.reason, failure.reply)
        elif failure.final or attempts >= self._max_attempts:
            queue.settle_failed(self._db, mail, failure.reason, failure.reply)
        else:
            queue.defer(self._db, mail, delay, failure.reason, failure.reply)
        return None


class Sender:
    """Sends what comes out of `claimed`. While the server takes the content of one mail it is told of the next."""

    def __init__(
        self,
        db: Db,
        connection: MailConnection,
        claimed: Queue[Claimed],
        gate: Gate,
        settler: Settler,
        attempts: Attempts,
    ) -> None:
        self._db = db
        self._connection = connection
        self._claimed = claimed
        self._gate = gate
        self._settler = settler
        self._attempts = attempts
        self._in_hand: Claimed | None = None  # the server waits for its content
        self._receipt: Receipt | None = None
        self._used_at = 0.0
        self._fresh = True  # nothing has been heard of the server over this connection

    def loop(self) -> None:
        """Until the process is to stop; what is claimed then is given back untried."""
        while not self._gate.stopping.is_set():
            self.step()
        if self._receipt:
            self._receipt.wait()
        if self._in_hand:
            self._connection.hang_up()
            self._give_back(self._in_hand)
        self._connection.close()

    def step(self) -> None:
        """One exchange with the server: the content of the mail in hand, and the envelope of the next."""
        following = self._next()
        if self._receipt:
            # No content leaves before the sending of the last one is on record.
            self._receipt.wait()
            self._receipt = None
        in_hand = self._in_hand
        if in_hand and not self._may_leave(in_hand.send_by):
            self._connection.hang_up()
            self._give_back(in_hand)
            in_hand = None
        self._in_hand = None
        if following and not self._may_leave(following.begin_by):
            self._give_back(following)
            following = None
        if following and not in_hand and not self._connect():
            self._give_back(following)
        elif in_hand or following:
            self._exchange(in_hand, following)

    def _next(self) -> Claimed | None:
        try:
            if self._in_hand is None:
                return self._claimed.get(timeout=1.0)
            # Where the server asked for less, one after the other.
            return None if self._gate.in_trouble else self._claimed.get_nowait()
        except Empty:
            if self._in_hand is None and time.monotonic() - self._used_at > IDLE_SECONDS:
                self._connection.close()
            return None

    def _may_leave(self, until: float) -> bool:
        return self._gate.is_open and time.monotonic() < until

    def _connect(self) -> bool:
        """Where the server cannot be used, nobody's attempt is spent and the whole queue waits."""
        self._fresh = self._fresh or self._connection.host is None
        try:
            self._connection.open()
        except (OSError, ValueError) as error:
            self._gate.close(error)
            return False
        return True

    def _exchange(self, in_hand: Claimed | None, following: Claimed | None) -> None:
        if in_hand:
            taken = self._connection.hand_over(
                in_hand.envelope, following.envelope if following else None
            )
            if self._was_taken(in_hand, taken):
                self._receipt = self._settler.settle(in_hand.mail, str(taken))
                self._gate.went_well()
        if following:
            opened = self._connection.open_envelope(following.envelope)
            if self._fresh and isinstance(opened, str | Refusal):
                self._fresh = False
                self._gate.connected()
            if self._was_taken(following, opened):
                self._in_hand = following
        self._used_at = time.monotonic()

    def _was_taken(self, claimed: Claimed, outcome: Outcome) -> bool:
        if isinstance(outcome, str):
            return True
        if outcome is None:
            self._give_back(claimed)
        elif isinstance(outcome, smtplib.SMTPAuthenticationError):
            self._connection.close()
            self._gate.close(outcome)
            self._give_back(claimed)
        else:
            self._settle(claimed.mail, outcome)
        return False

    def _settle(self, mail: Document, error: Exception) -> None:
        try:
            self._attempts.failed(mail, error)
        except PyMongoError as fault:
            log.warning("mail %s stays claimed until its lease lapses: %s", mail["_id"], fault)
        self._settler.changed(mail)

    def _give_back(self, claimed: Claimed) -> None:
        try:
            queue.release(self._db, [claimed.mail])
        except PyMongoError as fault:
            log.warning(
                "mail %s stays claimed until its lease lapses: %s", claimed.mail["_id"], fault
            )
        self._settler.changed(claimed.mail)
