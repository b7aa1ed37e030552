"""Mails to be sent: in the product's queue, and as ready-made letters with the same words for everybody else."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from bson import ObjectId

from config import Settings
from crmapp.accounts.users import Role, new_user
from crmapp.app import create_app
from crmapp.clock import now
from crmapp.database import Db, Document
from crmapp.invitations.letter import TEMPLATE, compose
from crmapp.live.blueprint import live
from crmapp.local.samples import sample_leads
from crmapp.mailqueue import queue
from crmapp.mailqueue.letter import Letter, write

INSERT_AT_ONCE = 5000
SESSION = "activation_1700000000000_drain"


def fill(db: Db, count: int) -> None:
    """Queue invitations of `count` new users, as an activation does, and ring no bell."""
    leads = sample_leads(count)
    while users := [
        new_user(lead["email"], lead["name"], Role.USER) for lead in islice(leads, INSERT_AT_ONCE)
    ]:
        db.users.insert_many(users)
        db.pending_emails.insert_many([_mail(user, SESSION) for user in users])


def fill_queue(db: Db, count: int, sessions: int) -> None:
    """Queue `count` mails of so many sessions, one session after the other, of users who are not there."""
    for start in range(0, count, INSERT_AT_ONCE):
        db.pending_emails.insert_many(
            [
                _mail(
                    {"_id": ObjectId(), "email": f"lead{number}@example.com"},
                    f"{SESSION}{number * sessions // count}",
                )
                for number in range(start, min(start + INSERT_AT_ONCE, count))
            ],
            ordered=False,
        )


def _mail(user: Document, session: str) -> Document:
    return queue.new_mail(TEMPLATE, user["_id"], user["email"], session, "localhost", now())


@contextmanager
def application(environ: dict[str, str]) -> Iterator[None]:
    """The product's context in this process. None of its loops run."""
    # Its hub, which a bell needs, may outlive the embedded Valkey by a moment.
    logging.getLogger("crmapp.live").setLevel(logging.ERROR)
    with create_app(Settings.from_environ(environ)).app_context():
        yield
        live.hub.stop()


def ring() -> None:
    """Wake the workers, in an application context."""
    live.ring(queue.BELL)


def write_letters(db: Db, path: Path) -> float:
    """Put what the product would send for the queued mails of `db` into a file of JSON, in an application context.
    Returns their mean size on the wire, in bytes."""
    mails = list(db.pending_emails.find())
    letters = dict(compose(db, mails))
    made = [_ready_made(letters[mail["_id"]], mail) for mail in mails]
    path.write_text(json.dumps(made))
    return sum(len(letter["content"]) for letter in made) / len(made)


def _ready_made(letter: Letter | Exception, mail: Document) -> Document:
    if isinstance(letter, Exception):
        raise letter
    content = write(letter, mail, "crmapp@localhost").content.decode("ascii")
    return {
        "recipient": letter.recipient,
        "subject": letter.subject,
        "text": letter.text,
        "html": letter.html,
        # Without the final dot, which smtplib adds.
        "content": content.removesuffix(".\r\n"),
    }
