"""The dashboard's numbers: leads by status, and what happened on each of the last days."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from crmapp import charts
from crmapp.charts import Chart, Subject
from crmapp.clock import now
from crmapp.database import Db, Document
from crmapp.leads.leads import LeadStatus
from crmapp.mailqueue.queue import MailEvent

DAYS = 30

PerDay = dict[date, int]


@dataclass(frozen=True)
class Status:
    """The leads of one status. `share` is of the greatest number, from 0 to 100."""

    status: str
    count: int
    share: float


def leads_by_status(db: Db, limits: Document) -> dict[str, int]:
    """How many of the leads that `limits` allow have each status: those of the product in their order, also where there
    are none, then others. Reads every lead, because no index of them may hold the status."""
    grouped = {"$group": {"_id": "$status", "count": {"$sum": 1}}}
    found = db.leads.aggregate([{"$match": limits}, grouped])
    counts = dict.fromkeys(map(str, LeadStatus), 0)
    for each in found:
        status = each["_id"] if isinstance(each["_id"], str) else ""
        counts[status] = counts.get(status, 0) + each["count"]
    return counts


def shares(counts: dict[str, int]) -> list[Status]:
    most = max(counts.values(), default=0) or 1
    return [Status(name, count, round(100 * count / most, 2)) for name, count in counts.items()]


def activated(db: Db, limits: Document) -> PerDay:
    """The leads, of those that `limits` allow, that became users on each of the last days, in UTC, and still are."""
    days = last_days()
    day = {"$dateTrunc": {"date": "$activatedAt", "unit": "day"}}
    found = db.leads.aggregate(
        [
            {
                "$match": {
                    **limits,
                    "status": LeadStatus.ACTIVE,
                    "activatedAt": _from_to(days[0], days[-1]),
                }
            },
            {"$group": {"_id": day, "count": {"$sum": 1}}},
        ]
    )
    return dict.fromkeys(days, 0) | {each["_id"].date(): each["count"] for each in found}


def sent(db: Db, _: Document) -> PerDay:
    """The mails that were sent on each of the last days, in UTC; one that was sent twice counts once."""
    days = last_days()
    counts = _events(db, MailEvent.SENT, days)
    again = {"repeat": {"$exists": True}, "at": _from_to(days[0], days[-1])}
    for event in db.events.find(again, {"at": 1}):
        counts[event["at"].date()] -= 1
    return counts


def failed(db: Db, _: Document) -> PerDay:
    """How often a mail was given up on each of the last days, in UTC."""
    return _events(db, MailEvent.FAILED, last_days())


def _events(db: Db, type: MailEvent, days: list[date]) -> PerDay:
    # Counting each day in the index takes a tenth of the time of grouping them.
    return {
        day: db.events.count_documents({"type": type, "at": _from_to(day, day)}) for day in days
    }


def last_days() -> list[date]:
    today = now().date()
    return [today - timedelta(days=DAYS - 1 - n) for n in range(DAYS)]


def _from_to(first: date, last: date) -> Document:
    begin, end = (datetime.combine(day, time(), UTC) for day in (first, last + timedelta(days=1)))
    return {"$gte": begin, "$lt": end}


def chart(name: str, per_day: PerDay) -> Chart:
    """The chart of what one of the CHARTS counted."""
    some = {day: float(count) for day, count in per_day.items() if count}
    return charts.draw(CHARTS[name][0], list(per_day), some, sum(per_day.values()))


def _grouped(count: float) -> str:
    return f"{count:,.0f}"


CHARTS: dict[str, tuple[Subject, Callable[[Db, Document], PerDay]]] = {
    "activated": (Subject("activated", "Leads activated", _grouped), activated),
    "sent": (Subject("sent", "E-mails sent", _grouped), sent),
    "failed": (Subject("failed", "E-mails that failed", _grouped), failed),
}
OF_LEADS = ("activated",)  # the others are of mail
