"""Puts on record what was sent: for all connections together, because one write for ten mails costs as much as one."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue

from pymongo.errors import PyMongoError

from crmapp.availability import passes
from crmapp.database import Db, Document
from crmapp.mailqueue import queue

log = logging.getLogger(__name__)

GIVE_UP_SECONDS = 25.0
RETRY_SECONDS = 0.5
MOST_AT_ONCE = 200
NOTERS = 2
REMOVAL_PAUSE_SECONDS = 0.02


class Receipt(threading.Event):
    """Set once the sending of its mail is on record, or that was given up."""

    def __init__(self, mail: Document, reply: str) -> None:
        super().__init__()
        self.mail = mail
        self.reply = reply


class Settler:
    """For the mails of so many `senders`. `stopping` is set when the process is to end; `changed` is called for each
    mail that was settled."""

    def __init__(
        self,
        db: Db,
        senders: int,
        stopping: threading.Event,
        changed: Callable[[Document], None],
    ) -> None:
        self._db = db
        self._senders = senders
        self._stopping = stopping
        self._leaving = threading.Lock()
        self.changed = changed
        self._taken: SimpleQueue[Receipt | None] = SimpleQueue()
        self._noted: SimpleQueue[Receipt | None] = SimpleQueue()
        self._sent: Counter[int] = Counter()  # by the second

    def settle(self, mail: Document, reply: str) -> Receipt:
        """Have it recorded that the server took `mail` and said `reply`. Until the receipt is set, its connection must
        send no other content: so a death costs at most one repeated mail per connection."""
        receipt = Receipt(mail, reply)
        self._taken.put(receipt)
        return receipt

    def leave(self) -> None:
        """A sender has ended. After the last one the loops end too."""
        with self._leaving:
            self._senders -= 1
        if self._senders == 0:
            for _ in range(NOTERS):
                self._taken.put(None)

    def noting_loop(self) -> None:
        """Note what was sent. NOTERS of these run side by side: while one waits for MongoDB the next one gathers."""
        for receipts in _batches(self._taken):
            self._note(receipts)
        self._noted.put(None)

    def removal_loop(self) -> None:
        """Remove from the queue what was noted. Nobody waits for that."""
        for receipts in _batches(self._noted, NOTERS):
            mails = [receipt.mail for receipt in receipts]
            self._try_again_until_done(partial(queue.remove_sent, self._db, mails))
            for mail in mails:
                self.changed(mail)
            # More will have come by then, and removing ten costs as much as removing one.
            time.sleep(REMOVAL_PAUSE_SECONDS)

    def _note(self, receipts: list[Receipt]) -> None:
        pairs = [(receipt.mail, receipt.reply) for receipt in receipts]
        try:
            noted = self._try_again_until_done(partial(queue.note_sent, self._db, pairs))
        finally:
            # Whatever went wrong, their connections must not wait for ever.
            for receipt in receipts:
                receipt.set()
        self._sent[int(time.monotonic())] += len(pairs)
        if noted:
            for receipt in receipts:
                self._noted.put(receipt)

    def _try_again_until_done(self, write: Callable[[], None]) -> bool:
        """For as long as MongoDB is away: a mail whose sending is not on record will be sent again. Any other fault is
        given GIVE_UP_SECONDS to go away."""
        give_up_at = time.monotonic() + GIVE_UP_SECONDS
        while True:
            try:
                write()
                return True
            except PyMongoError as error:
                patient = passes(error) or time.monotonic() < give_up_at
                if self._stopping.is_set() or not patient:
                    log.error("mails were sent, which could not be noted: %s", error)
                    return False
                self._stopping.wait(timeout=RETRY_SECONDS)

    def sent_in(self, seconds: int) -> int:
        """How many were sent in the second that runs and the `seconds` before it, up to 60."""
        now = int(time.monotonic())
        for second in list(self._sent):
            if second < now - 60:
                del self._sent[second]
        return sum(self._sent[second] for second in range(now - seconds, now + 1))


def _batches(waiting: SimpleQueue[Receipt | None], ends: int = 1) -> Iterator[list[Receipt]]:
    """Everything that waits, whenever something does, until None has come so many times."""
    while ends:
        batch = [waiting.get()]
        with suppress(Empty):
            while batch[-1] is not None and len(batch) < MOST_AT_ONCE:
                batch.append(waiting.get_nowait())
        receipts = [receipt for receipt in batch if receipt is not None]
        ends -= len(batch) - len(receipts)
        if receipts:
            yield receipts
