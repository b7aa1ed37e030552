"""Figures as small bar charts, whose shapes are worked out here and drawn by _chart.html."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from crmapp.jobs.figures import Figures, Span

WIDTH = 300
HEIGHT = 72
BAR_SHARE = 0.7  # of the room that a day has
# What is there is seen, however little it is.
LEAST_HEIGHT = 1.5


@dataclass(frozen=True)
class Bar:
    """One day: where its room begins, its bar in there, and what it says. All lengths are in units of the chart."""

    day: str
    text: str
    room_x: float
    room_width: float
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Chart:
    key: str
    title: str
    value: str  # of the whole span, in words
    summary: str  # all that the chart says, in a sentence
    first: str  # the first day and the last one, without their year
    last: str
    most: str  # what the highest bar stands for; empty where there is none
    bars: list[Bar]  # of the days that have something to show
    width: int = WIDTH
    height: int = HEIGHT


@dataclass(frozen=True)
class _Subject:
    """What one of the charts shows, and how its values are told."""

    key: str
    title: str
    of: Callable[[Figures], float | None]
    tell: Callable[[float], str]


def draw(span: Span) -> list[Chart]:
    """The charts of a span; none where it has no job."""
    return [_chart(span, subject) for subject in _SUBJECTS] if span.whole.jobs else []


def _chart(span: Span, subject: _Subject) -> Chart:
    values = {day: subject.of(figures) for day, figures in span.days.items() if figures.jobs}
    known = {day: value for day, value in values.items() if value is not None}
    whole = subject.of(span.whole)
    highest = max(known.values(), default=0.0)
    value, most = "not known yet", ""
    if whole is not None:
        value, most = subject.tell(whole), subject.tell(highest)
    days = list(span.days)
    first, last = days[0], days[-1]
    period = f"{_told(first)} to {_told(last)}"
    return Chart(
        key=subject.key,
        title=subject.title,
        value=value,
        summary=f"{subject.title}, {period}: {value}{f', at most {most} on a day' if most else ''}.",
        first=f"{first.day} {first:%b}",
        last=f"{last.day} {last:%b}",
        most=most,
        bars=[
            _bar(n, len(days), _told(day), known[day], highest, subject)
            for n, day in enumerate(days)
            if day in known
        ],
    )


def _bar(n: int, days: int, day: str, value: float, highest: float, subject: _Subject) -> Bar:
    room = WIDTH / days
    width = room * BAR_SHARE
    height = max(HEIGHT * value / highest, LEAST_HEIGHT) if value else 0.0
    return Bar(
        day=day,
        text=subject.tell(value),
        room_x=round(n * room, 2),
        room_width=round(room, 2),
        x=round(n * room + (room - width) / 2, 2),
        y=round(HEIGHT - height, 2),
        width=round(width, 2),
        height=round(height, 2),
    )


def _told(day: date) -> str:
    return f"{day.day} {day:%b %Y}"


def jobs_in_words(count: float) -> str:
    return f"{count:,.0f} {'job' if count == 1 else 'jobs'}"


def duration_in_words(milliseconds: float) -> str:
    """A duration with its two largest units."""
    if milliseconds < 9950:
        return f"{milliseconds / 1000:.1f} s"
    minutes, seconds = divmod(round(milliseconds / 1000), 60)
    if minutes < 1:
        return f"{seconds} s"
    if minutes < 60:
        return f"{minutes} min {seconds} s"
    return f"{minutes // 60:,} h {minutes % 60} min"


def rate_in_words(rate: float) -> str:
    return f"{rate:,.1f}" if rate < 100 else f"{rate:,.0f}"


def share_in_words(share: float) -> str:
    """In per cent. What is not quite none or all is not told as if it were."""
    if 0 < share < 0.001:
        return "under 0.1 %"
    if 0.999 < share < 1:
        return "over 99.9 %"
    return f"{100 * share:.1f} %".replace(".0 %", " %")


_SUBJECTS = [
    _Subject("jobs", "Jobs a day", lambda figures: figures.jobs, jobs_in_words),
    _Subject("duration", "Median duration", lambda figures: figures.duration, duration_in_words),
    _Subject("rate", "Items a second", lambda figures: figures.rate, rate_in_words),
    _Subject("failed", "Items that failed", lambda figures: figures.failed_share, share_in_words),
]
