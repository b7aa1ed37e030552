"""One sentence about the queue, for every page: whether mail leaves, and if not, why and since when.

The sentence may hold times, which each reader is shown in their own way: `{at:…}` is a time of day, `{in:…}` how long
until then, `{for:…}` how long since then. Behind the colon stands ISO 8601 in UTC.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from pymongo.errors import PyMongoError

from crmapp.clock import now
from crmapp.database import Db, Document
from crmapp.jobs.projection import project
from crmapp.live.blueprint import live
from crmapp.live.events import EMAIL_QUEUE_HEALTH, Event, make_event
from crmapp.live.topics import QUEUE_HEALTH
from crmapp.mailqueue import control, queue
from crmapp.wire import iso, to_json

KEY = {"_id": "emailQueueHealth"}
UNSEEN_SECONDS = 120
# Whoever had noted it would have renewed it by now.
NOTE_GOOD_FOR_SECONDS = 120


class State(StrEnum):
    NO_WORKER = "no_worker"  # nobody is there to send
    PAUSED = "paused"  # by an administrator
    OUTAGE = "outage"  # the mail server cannot be used
    SLOWED = "slowed"  # the mail server asked for less
    SENDING = "sending"
    WAITING = "waiting"  # for the time of the mails that will be tried again
    EMPTY = "empty"


TROUBLE = (State.NO_WORKER, State.PAUSED, State.OUTAGE)


class Sentence(NamedTuple):
    state: State
    text: str


def current(db: Db) -> Document:
    """{state, text, trouble, timestamp} as it is now."""
    return {**_work_out(db), "timestamp": now()}


def for_page(db: Db) -> Document | None:
    """The same for a page's first paint; None where MongoDB does not answer, which the page says in its own way."""
    try:
        return current(db)
    except PyMongoError:
        return None


def refresh(db: Db) -> None:
    """Bring the stored sentence up to date and tell every page."""
    changed = project(db.projections, KEY, lambda _: _work_out(db))
    if changed:
        data = to_json(_public(changed))
        live.announce(QUEUE_HEALTH, EMAIL_QUEUE_HEALTH, changed["rev"], data)


def event(db: Db) -> Event:
    """The event that tells the sentence as it is now: where no worker is alive nobody else keeps it up to date."""
    stored = project(db.projections, KEY, lambda _: _work_out(db)) or db.projections.find_one(KEY)
    assert stored is not None
    return make_event(QUEUE_HEALTH, EMAIL_QUEUE_HEALTH, stored["rev"], to_json(_public(stored)))


def _public(stored: Document) -> Document:
    names = ("state", "text", "trouble")
    return {**{name: stored[name] for name in names}, "timestamp": stored["updatedAt"]}


def _work_out(db: Db) -> Document:
    sentence = _paused(db) or _no_worker(db) or _outage(db) or _moving(db)
    return {**sentence._asdict(), "trouble": sentence.state in TROUBLE}


def _paused(db: Db) -> Sentence | None:
    pause = control.paused(db)
    if pause is None:
        return None
    return Sentence(State.PAUSED, f"Paused by {pause['by']['name']} {{for:{iso(pause['at'])}}} ago")


def _no_worker(db: Db) -> Sentence | None:
    seen = control.last_seen(db)
    if seen is None:
        return Sentence(
            State.NO_WORKER, "No worker has been seen yet: nothing is sent until one runs"
        )
    if (now() - seen).total_seconds() < UNSEEN_SECONDS:
        return None
    return Sentence(State.NO_WORKER, f"No worker has been seen for {{for:{iso(seen)}}}")


def _outage(db: Db) -> Sentence | None:
    outage = control.outage(db)
    if outage is None or _is_old(outage["nextTryAt"]):
        return None
    return Sentence(
        State.OUTAGE,
        f"{outage['reason']} since {{at:{iso(outage['since'])}}}; nothing was lost, next try in "
        f"{{in:{iso(outage['nextTryAt'])}}}",
    )


def _moving(db: Db) -> Sentence:
    oldest = queue.oldest_due(db)
    if oldest is None:
        return _waiting(db)
    rate = control.sent_last_minute(db)
    speed = f"Sending {rate:,} a minute" if rate else "Sending"
    parts = [f"{speed}, oldest waiting {{for:{iso(oldest)}}}"]
    left = db.pending_emails.estimated_document_count()
    if rate and left > rate:
        done = now() + timedelta(minutes=left / rate)
        parts.append(f"done about {{at:{iso(done.replace(second=0, microsecond=0))}}}")
    slowed = control.slowed(db)
    if slowed and not _is_old(slowed["at"]):
        parts.append(f"slowly, because the mail server says: {slowed['words'][:120]}")
        return Sentence(State.SLOWED, ", ".join(parts))
    return Sentence(State.SENDING, ", ".join(parts))


def _waiting(db: Db) -> Sentence:
    if db.pending_emails.find_one({"status": queue.MailStatus.PROCESSING}, {"_id": 1}):
        return Sentence(State.SENDING, "Sending")
    first = db.pending_emails.find_one({}, sort=[("visibleAt", 1)])
    if first is None:
        return Sentence(State.EMPTY, "Nothing to send")
    tried = first["attempts"] or first["throttles"]
    what = "Waiting to try again" if tried else "Held back so that it can be undone, leaves"
    return Sentence(State.WAITING, f"{what} in {{in:{iso(first['visibleAt'])}}}")


def _is_old(noted: datetime) -> bool:
    return (now() - noted).total_seconds() > NOTE_GOOD_FOR_SECONDS


_TIME = re.compile(r"\{(at|in|for):([^}]+)\}")


def plain(text: str) -> str:
    """The sentence for a terminal, with times in UTC."""

    def show(found: re.Match[str]) -> str:
        time = datetime.fromisoformat(found[2])
        if found[1] == "at":
            return time.astimezone(UTC).strftime("%H:%M UTC")
        return _length(abs((time - now()).total_seconds()))

    return _TIME.sub(show, text)


def _length(seconds: float) -> str:
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length:.0f} {unit}"
    return f"{seconds:.0f} s"
