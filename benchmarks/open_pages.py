"""Requests at a steady rate, as the open pages of people who watch a job make them, whether or not they are answered in
time."""

from __future__ import annotations

import http.client
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

CONNECTIONS = 8
# Some of it more often.
ASKED = (
    *("/crm/activation/progress/{session}",) * 4,
    *("/crm/activation/active",) * 2,
    *("/crm/email-queue/status",) * 2,
    "/crm/leads?q=smith",
    "/crm/jobs",
)


@dataclass
class Answers:
    """`late` holds, in seconds, how long after its time each answer was whole; faults have a status of 0."""

    statuses: Counter[int] = field(default_factory=Counter)
    late: list[float] = field(default_factory=list)

    @property
    def refused(self) -> int:
        return sum(count for status, count in self.statuses.items() if status != 200)


def ask_steadily(
    port: int, paths: Sequence[str], headers: dict[str, str], rate: int, seconds: float
) -> Answers:
    """Ask for `paths` in turn, `rate` times a second, whether or not the server keeps up."""
    answers, begin = Answers(), time.monotonic()
    slots = iter(range(int(rate * seconds)))
    taking = threading.Lock()

    def work() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        while True:
            with taking:
                slot = next(slots, None)
            if slot is None:
                return connection.close()
            due = begin + slot / rate
            time.sleep(max(0.0, due - time.monotonic()))
            status = _ask(connection, paths[slot % len(paths)], headers)
            answers.late.append(time.monotonic() - due)
            answers.statuses[status] += 1

    threads = [threading.Thread(target=work) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    answers.late.sort()
    return answers


def _ask(connection: http.client.HTTPConnection, path: str, headers: dict[str, str]) -> int:
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException):
        connection.close()
        return 0
    return answer.status
