"""What an administrator is alerted to, each found out anew from what is so now."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from crmapp.clock import now
from crmapp.database import Db, StandaloneError, require_replica_set
from crmapp.mailqueue import control
from crmapp.mailqueue.queue import MailEvent


class Condition(StrEnum):
    NO_WORKER = "no_worker"
    MAIL_FAILS = "mail_fails"
    STANDALONE = "standalone"
    DISK_FULL = "disk_full"


class Alert(NamedTuple):
    """`text` and `advice` are whole sentences; where SINCE stands in the text, it is told since when. `link` is where
    to look, with its words. `since` is None where only the watch knows."""

    condition: Condition
    text: str
    advice: str
    link: str = ""
    link_text: str = ""
    since: datetime | None = None


SINCE = "{since}"
UNSEEN = timedelta(minutes=2)
MAIL_WINDOW = timedelta(hours=1)
# Of the mails settled in MAIL_WINDOW; a few wrong addresses are an ordinary day.
FAILED_SHARE = 0.2
LEAST_MAILS = 20
# MongoDB stops taking writes when its disk is full.
NEARLY_FULL = 0.9


def found(db: Db) -> Iterator[Alert]:
    """Every condition that is so now. Raises PyMongoError."""
    for look in (_no_worker, _mail_fails, _standalone, _disk_full):
        alert = look(db)
        if alert:
            yield alert


def _no_worker(db: Db) -> Alert | None:
    seen = control.last_seen(db)
    if seen and now() - seen < UNSEEN:
        return None
    return Alert(
        Condition.NO_WORKER,
        f"No worker has been alive {SINCE}: no job runs and no mail leaves.",
        "Nothing is lost. Start `flask worker`, or the web processes with RUN_WORKERS=1, and look into their log.",
        "/crm/jobs",
        "Open the jobs",
        seen,
    )


def _mail_fails(db: Db) -> Alert | None:
    at = {"$gt": now() - MAIL_WINDOW}
    failed, sent = (
        db.events.count_documents({"type": type, "at": at})
        for type in (MailEvent.FAILED, MailEvent.SENT)
    )
    if failed + sent < LEAST_MAILS or failed < FAILED_SHARE * (failed + sent):
        return None
    return Alert(
        Condition.MAIL_FAILS,
        f"Much mail has failed {SINCE}: {failed:,} of the {failed + sent:,} mails of the last hour.",
        "The failed mails are grouped by reason; pause the queue until the reason is gone, then try them again.",
        "/crm/email-queue?state=failed",
        "Open the failed mails",
    )


def _standalone(db: Db) -> Alert | None:
    try:
        require_replica_set(db)
    except StandaloneError:
        return Alert(
            Condition.STANDALONE,
            f"MongoDB has been a standalone {SINCE}, without the transactions that jobs and mail need.",
            "Start mongod with --replSet again; one node is enough.",
        )
    return None


def _disk_full(db: Db) -> Alert | None:
    share = disk_share(db)
    if share is None or share < NEARLY_FULL:
        return None
    return Alert(
        Condition.DISK_FULL,
        f"MongoDB's disk has been nearly full {SINCE}: {share:.0%}.",
        "Free some space or make the disk larger: when it is full nothing can be written any more.",
    )


def disk_share(db: Db) -> float | None:
    """How full MongoDB's disk is, 0 to 1; None where it does not say, as hosted ones may not."""
    stats = db.command("dbStats")
    used, total = stats.get("fsUsedSize"), stats.get("fsTotalSize")
    return used / total if used and total else None
