"""What the processes of this gunicorn count themselves: how long requests take, and who reads streams.

In gunicorn each process keeps its numbers in a file of its own, under PROMETHEUS_MULTIPROC_DIR, and whoever is asked
reads all of them (https://prometheus.github.io/client_python/multiprocess/).
"""

from __future__ import annotations

import os

from prometheus_client import CollectorRegistry, Gauge, Histogram
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

_own = CollectorRegistry()
_seconds = Histogram(
    "crmapp_request_seconds",
    "From the arrival of a request until its answer had left; without streams.",
    ("endpoint", "method", "status"),
    buckets=BUCKETS,
    registry=_own,
)
_readers = Gauge(
    "crmapp_stream_readers",
    "Streams of events that are open.",
    multiprocess_mode="livesum",
    registry=_own,
)
# Looking one up costs three times what adding to it does.
_known: dict[tuple[str | None, str, int], Histogram] = {}


def observe(endpoint: str | None, method: str, status: int, seconds: float) -> None:
    """`endpoint` is None where the address is none of ours."""
    key = endpoint, method, status
    histogram = _known.get(key)
    if histogram is None:
        labels = endpoint or "none", method if method in METHODS else "other", str(status)
        histogram = _seconds.labels(*labels)
        if method in METHODS:
            _known[key] = histogram
    histogram.observe(seconds)


def stream_began() -> None:
    _readers.inc()


def stream_ended() -> None:
    _readers.dec()


def collector() -> Collector:
    """The numbers of all processes of this gunicorn; elsewhere those of this process."""
    return MultiProcessCollector(None) if "PROMETHEUS_MULTIPROC_DIR" in os.environ else _own
