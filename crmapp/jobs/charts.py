"""The figures of jobs as small bar charts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from crmapp import charts
from crmapp.charts import Chart
from crmapp.jobs.figures import Figures, Span


@dataclass(frozen=True)
class _Subject(charts.Subject):
    of: Callable[[Figures], float | None]


def draw(span: Span) -> list[Chart]:
    """The charts of a span; none where it has no job."""
    return [_chart(span, subject) for subject in _SUBJECTS] if span.whole.jobs else []


def _chart(span: Span, subject: _Subject) -> Chart:
    values = {day: subject.of(figures) for day, figures in span.days.items() if figures.jobs}
    known = {day: value for day, value in values.items() if value is not None}
    return charts.draw(subject, list(span.days), known, subject.of(span.whole))


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
    _Subject("jobs", "Jobs a day", jobs_in_words, lambda figures: figures.jobs),
    _Subject("duration", "Median duration", duration_in_words, lambda figures: figures.duration),
    _Subject("rate", "Items a second", rate_in_words, lambda figures: figures.rate),
    _Subject("failed", "Items that failed", share_in_words, lambda figures: figures.failed_share),
]
