"""One plain table: a line per figure, a column per contestant, then the ratio and whether the goal is met."""

from __future__ import annotations

import os
import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Goal:
    """What is to be reached, in words, and whether it was."""

    text: str
    met: bool

    def __str__(self) -> str:
        return f"{self.text}: {'met' if self.met else 'NOT MET'}"


class Table:
    """`contestants` head the columns of figures."""

    def __init__(self, title: str, contestants: Sequence[str]) -> None:
        self._title = title
        self._rows = [["", *contestants, "ratio", "goal"]]
        self._notes: list[str] = []

    def row(self, label: str, *figures: str, ratio: str = "", goal: Goal | None = None) -> None:
        """One line. Figures that are missing at the end are left empty."""
        missing = len(self._rows[0]) - 3 - len(figures)
        self._rows.append([label, *figures, *[""] * missing, ratio, str(goal or "")])

    def note(self, text: str) -> None:
        """A line under the table: how something was measured, or what casts doubt on it."""
        self._notes.append(text)

    def show(self) -> None:
        cores, load = os.cpu_count(), os.getloadavg()[0]
        widths = [max(map(len, column)) for column in zip(*self._rows, strict=True)]
        print(f"\n{self._title} ({cores} cores, load {load:.1f} at the end)\n")
        for number, cells in enumerate(self._rows):
            print(_line(cells, widths))
            if number == 0:
                print(_line(["-" * width for width in widths], widths))
        print("".join(f"\n{note}" for note in self._notes), flush=True)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    last = len(cells) - 1
    aligned = [
        cell.ljust(width) if place in (0, last) else cell.rjust(width)
        for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return "  ".join(aligned).rstrip()


def number(value: float | None, unit: str = "") -> str:
    """A figure with as many digits as it deserves; a dash where there is none."""
    if value is None:
        return "-"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}{' ' + unit if unit else ''}"


def times(value: float) -> str:
    return f"{number(value)} x"


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest-rank percentile of sorted `values`; `share` from 0 to 1."""
    return values[min(len(values) - 1, int(len(values) * share))]
