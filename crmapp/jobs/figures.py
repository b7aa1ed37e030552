"""How jobs went over the last weeks: how many a day, how long they took, how fast they were, and what failed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import Any

from crmapp.accounts.users import User
from crmapp.clock import now
from crmapp.database import Db, Document
from crmapp.jobs import filters, jobs, pace
from crmapp.jobs.listing import SLOWEST_QUERY_MS, find
from crmapp.requests import day

DAYS = 30


@dataclass(frozen=True)
class Figures:
    """Of some jobs. What none of them can tell is None."""

    jobs: int
    duration: float | None  # the median of those that have ended, in ms
    rate: float | None  # items a second while they were worked on
    failed_share: float | None  # of their items, from 0 to 1


@dataclass(frozen=True)
class Span:
    """Some days in a row, in UTC: the figures of each and of all of them."""

    days: dict[date, Figures]
    whole: Figures

    def public(self) -> Document:
        days = [{"day": day.isoformat(), **_public(one)} for day, one in self.days.items()]
        return {**_public(self.whole), "days": days}


def _public(figures: Figures) -> Document:
    return {
        "jobs": figures.jobs,
        "medianDuration": figures.duration,
        "rate": figures.rate,
        "failedShare": figures.failed_share,
    }


def over_time(db: Db, user: User, filter: dict[str, str]) -> Span:
    """Of the jobs that a parsed filter lists for `user`, by the day on which they were started: the last 30 days, or
    those up to the last day of the filter."""
    last = _last_day(filter)
    first = last - timedelta(days=DAYS - 1)
    since = {"createdAt": {"$gte": datetime(first.year, first.month, first.day, tzinfo=UTC)}}
    query = {"$and": [filters.to_query(user, filter), since]}
    by_day: dict[date, list[Document]] = {first + timedelta(days=n): [] for n in range(DAYS)}
    for job in find(db, query).max_time_ms(SLOWEST_QUERY_MS):
        by_day.setdefault(job["createdAt"].date(), []).append(job)
    every_job = [job for of_day in by_day.values() for job in of_day]
    return Span({day: _of(of_day) for day, of_day in by_day.items()}, _of(every_job))


def _last_day(filter: dict[str, str]) -> date:
    today = now().date()
    if "to" not in filter:
        return today
    # The first days that there are have none before them.
    earliest = date.min + timedelta(days=DAYS)
    return max(min(today, day(filter["to"], "to").date()), earliest)


def _of(some: list[Document]) -> Figures:
    durations = [job["duration"] for job in some if job["duration"] is not None]
    paces = [(jobs.done(job["counts"]), pace.working_seconds(job)) for job in some]
    timed = [(done, seconds) for done, seconds in paces if done and seconds]
    return Figures(
        jobs=len(some),
        duration=median(durations) if durations else None,
        rate=_share(sum(done for done, _ in timed), sum(seconds for _, seconds in timed)),
        failed_share=_share(
            sum(job["counts"].get("failed", 0) for job in some), sum(done for done, _ in paces)
        ),
    )


def _share(part: float, whole: Any) -> float | None:
    return part / whole if whole else None
