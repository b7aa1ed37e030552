"""How fast this process may send: as fast as it can, until the server asks for less.

Every complaint doubles the pause between two mails; every mail that is taken shortens it by a tenth.
"""

from __future__ import annotations

import time

FIRST_GAP = 0.1
LONGEST_GAP = 30.0
SHORTEST_GAP = 0.01
# What arrives within this time of a complaint is the same complaint, heard on another connection.
SAME_COMPLAINT_SECONDS = 1.0


class Pace:
    def __init__(self) -> None:
        self.gap = 0.0
        self._next_at = 0.0
        self._complained_at = -SAME_COMPLAINT_SECONDS

    def slow_down(self) -> bool:
        """The server complained. Says whether that is news."""
        now = time.monotonic()
        if now - self._complained_at < SAME_COMPLAINT_SECONDS:
            return False
        self._complained_at = now
        self.gap = min(max(2 * self.gap, FIRST_GAP), LONGEST_GAP)
        return True

    def went_well(self) -> bool:
        """The server took a mail. Says whether full speed is reached again by it."""
        if not self.gap:
            return False
        self.gap *= 0.9
        if self.gap < SHORTEST_GAP:
            self.gap = 0.0
        return not self.gap

    def take_turn(self) -> float:
        """How many seconds to wait before the next mail, whose turn this takes."""
        if not self.gap:
            return 0.0
        now = time.monotonic()
        turn = max(now, self._next_at)
        self._next_at = turn + self.gap
        return turn - now
