"""One event: the whole state of its topic at one revision, encoded once for every reader."""

from __future__ import annotations

from dataclasses import dataclass

from flask_sse import Message

from crmapp.live.topics import Topic

PROGRESS = "progress"
COMPLETE = "complete"
JOB = "job"  # of a job that is no activation
EMAIL_QUEUE_UPDATE = "emailQueueUpdate"
EMAIL_QUEUE_HEALTH = "emailQueueHealth"
ALERTS = "alerts"


@dataclass(frozen=True, slots=True)
class Event:
    """`frame` is what a reader gets, `chunk` the same as a chunk of an HTTP/1.1 body. A `final` event is the last of
    its topic."""

    topic: Topic
    rev: int
    frame: bytes
    chunk: bytes
    final: bool = False


def make_event(topic: Topic, type: str, rev: int, data: str) -> Event:
    """`data` is JSON text. A topic's last state is told twice: as its progress and as its completion."""
    types = (PROGRESS, COMPLETE) if type == COMPLETE else (type,)
    frame = "".join(str(Message(data, type=name, id=str(rev))) for name in types).encode()
    return Event(topic, rev, frame, b"%X\r\n%b\r\n" % (len(frame), frame), type == COMPLETE)
