"""What MongoDB knows: the same from whichever process or machine is asked."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import timedelta

import pymongo
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from pymongo.errors import PyMongoError

from crmapp.clock import now
from crmapp.database import Db, Document
from crmapp.mailqueue import counts, queue
from crmapp.metrics import outcomes

log = logging.getLogger(__name__)

# Prometheus waits for ten by default.
MOST_SECONDS = 8.0
# A worker says every 5 s that it is alive.
ALIVE_SECONDS = 30


class Stored(Collector):
    """With MongoDB away there is `crmapp_mongodb_up 0` and nothing else."""

    def __init__(self, db: Db) -> None:
        self._db = db

    def collect(self) -> Iterable[Metric]:
        try:
            # Where it is away, this says so long before the time is up.
            self._db.client.admin.command("ping")
            with pymongo.timeout(MOST_SECONDS):
                return [*_queue(self._db), _mails(self._db), _jobs(self._db), *_alive(self._db)]
        except PyMongoError as error:
            log.warning("metrics without those of MongoDB, which does not answer: %s", error)
            return [_up(0)]


def _up(value: int) -> Metric:
    return GaugeMetricFamily("crmapp_mongodb_up", "1 where MongoDB answers.", value)


def _queue(db: Db) -> list[Metric]:
    mails = GaugeMetricFamily(
        "crmapp_queue_mails",
        "Mails in the queue, and those that failed for good.",
        labels=["state"],
    )
    now_in_queue = counts.of_queue(db)
    for state in ("pending", "processing", "failed"):
        mails.add_metric([state], now_in_queue[state])
    due = queue.oldest_due(db)
    oldest = GaugeMetricFamily(
        "crmapp_queue_oldest_pending_seconds",
        "For how long the oldest mail that is due has been so; 0 where none is.",
        max(0.0, (now() - due).total_seconds()) if due else 0.0,
    )
    return [mails, oldest]


def _mails(db: Db) -> Metric:
    mails = CounterMetricFamily(
        "crmapp_mails", "Tries to send a mail, by outcome.", labels=["outcome"]
    )
    for outcome, count in outcomes.totals(db).items():
        mails.add_metric([outcome], count)
    return mails


def _jobs(db: Db) -> Metric:
    jobs = GaugeMetricFamily("crmapp_jobs", "Jobs that are kept.", labels=["status", "type"])
    by_kind: Document = {"_id": {"status": "$status", "type": "$type"}, "count": {"$sum": 1}}
    for found in db.jobs.aggregate([{"$group": by_kind}]):
        kind = found["_id"]
        jobs.add_metric([str(kind.get("status")), str(kind.get("type"))], found["count"])
    return jobs


def _alive(db: Db) -> list[Metric]:
    recently = {"seenAt": {"$gt": now() - timedelta(seconds=ALIVE_SECONDS)}}
    workers = GaugeMetricFamily(
        "crmapp_workers_alive",
        f"Processes that run jobs and send mail, seen within {ALIVE_SECONDS} s.",
        db.workers.count_documents(recently),
    )
    return [workers, _up(1)]
