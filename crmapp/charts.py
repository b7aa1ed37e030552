"""Numbers by day as small bar charts, whose shapes are worked out here and drawn by _chart.html."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

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
class Subject:
    """What a chart shows, and how its values are told."""

    key: str
    title: str
    tell: Callable[[float], str]


def draw(
    subject: Subject, days: Sequence[date], values: dict[date, float], whole: float | None
) -> Chart:
    """The chart of the `values` of some of the `days`, which follow each other. `whole` is the value of them all; None
    where it is not known."""
    highest = max(values.values(), default=0.0)
    value, most = "not known yet", ""
    if whole is not None:
        value, most = subject.tell(whole), subject.tell(highest) if values else ""
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
            _bar(n, len(days), _told(day), values[day], highest, subject)
            for n, day in enumerate(days)
            if day in values
        ],
    )


def _bar(n: int, days: int, day: str, value: float, highest: float, subject: Subject) -> Bar:
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
