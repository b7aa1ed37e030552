"""When to try again. Pure functions of what has happened so far; times in seconds."""

from __future__ import annotations

import random

LONGEST_RETRY = 4 * 3600.0
LONGEST_OUTAGE = 60.0


def retry_delay(attempts: int, base: float) -> float:
    """Before the attempt after `attempts` failed ones: doubles each time, with jitter of a quarter either way, so that
    mails which failed together do not come back together."""
    return min(base * 2.0 ** (attempts - 1), LONGEST_RETRY) * random.uniform(0.75, 1.25)  # noqa: S311


def outage_delay(failures: int) -> float:
    """Before the mail server is tried again after `failures` in a row: 1, 2, 4 … 60."""
    return min(2.0 ** (failures - 1), LONGEST_OUTAGE)
