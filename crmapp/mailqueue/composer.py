"""Turns claimed mails into what goes over the wire, a batch at a time, and hands them to the connections."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from queue import Empty, Full, Queue
from typing import TypeVar

from pymongo.errors import PyMongoError

from crmapp.database import Db, Document
from crmapp.mailqueue import queue
from crmapp.mailqueue.gate import Gate
from crmapp.mailqueue.letter import Compose, Envelope, Letter, write
from crmapp.mailqueue.sender import Attempts, Claimed

T = TypeVar("T")

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.2
# So many letters are made in a row, before the connections and the streams have their turn.
STRETCH = 5

# Mails of one claim, and the times until which each is to be begun and to be sent (see Claimed).
Batch = tuple[list[Document], float, float]


class Composer:
    """`templates` make letters, by the name of their template; `changed` is called for each mail."""

    def __init__(
        self,
        db: Db,
        templates: Mapping[str, Compose],
        sender: str,
        gate: Gate,
        attempts: Attempts,
        changed: Callable[[Document], None],
    ) -> None:
        self._db = db
        self._templates = templates
        self._sender = sender
        self._gate = gate
        self._attempts = attempts
        self._changed = changed

    def loop(self, batches: Queue[Batch], claimed: Queue[Claimed]) -> None:
        """Until the process is to stop; what nobody took by then is given back."""
        while not self._gate.stopping.is_set():
            try:
                mails, begin_by, send_by = batches.get(timeout=1.0)
            except Empty:
                continue
            for mail in mails:
                self._changed(mail)
            for number, ready in enumerate(self.compose(mails, begin_by, send_by)):
                self._hand_over(ready, claimed)
                if number % STRETCH == 0:
                    time.sleep(0)
        self.give_back([ready.mail for ready in all_of(claimed)])

    def compose(self, mails: list[Document], begin_by: float, send_by: float) -> Iterator[Claimed]:
        """The mails that can be sent; the others are settled."""
        for mail, letter in self._letters(mails):
            envelope = self._write(letter, mail)
            if isinstance(envelope, Envelope):
                yield Claimed(mail, envelope, begin_by, send_by)
            else:
                self._settle(mail, envelope)

    def _letters(self, mails: list[Document]) -> Iterator[tuple[Document, Letter | Exception]]:
        for template in {mail["template"] for mail in mails}:
            left = {mail["_id"]: mail for mail in mails if mail["template"] == template}
            fault: Exception = LookupError("no letter was made of it")
            try:
                for mail_id, letter in self._templates[template](self._db, list(left.values())):
                    yield left.pop(mail_id), letter
            except Exception as error:
                fault = error
            yield from ((mail, fault) for mail in left.values())

    def _write(self, letter: Letter | Exception, mail: Document) -> Envelope | Exception:
        if isinstance(letter, Exception):
            return letter
        try:
            return write(letter, mail, self._sender)
        except Exception as error:
            return error

    def _settle(self, mail: Document, error: Exception) -> None:
        if isinstance(error, PyMongoError):
            return self.give_back([mail])
        try:
            self._attempts.failed(mail, error)
        except PyMongoError as fault:
            log.warning("mail %s stays claimed until its lease lapses: %s", mail["_id"], fault)
        return self._changed(mail)

    def _hand_over(self, ready: Claimed, claimed: Queue[Claimed]) -> None:
        while not self._gate.stopping.is_set():
            try:
                return claimed.put(ready, timeout=LOOK_SECONDS)
            except Full:
                self._look()
        return self.give_back([ready.mail])

    def _look(self) -> None:
        """Where mail leaves slowly, a pause is to be noticed before the next claim."""
        try:
            self._gate.look()
        except PyMongoError as error:
            log.warning("cannot see whether the queue is paused: %s", error)

    def give_back(self, mails: list[Document]) -> None:
        """Untried."""
        try:
            queue.release(self._db, mails)
        except PyMongoError as error:
            log.warning("%d mails stay claimed until their leases lapse: %s", len(mails), error)
        for mail in mails:
            self._changed(mail)


def all_of(waiting: Queue[T]) -> list[T]:
    """What waits there now."""
    items: list[T] = []
    while True:
        try:
            items.append(waiting.get_nowait())
        except Empty:
            return items
