"""What events are about, and who hears them.

A topic is one thing with a state and a revision: a session, or the e-mail queue. A room is a set of readers:
those of one session, those of one user's page, those who may see everything. A topic's channel names both, so that
one message on the wire reaches the right rooms without anybody looking inside it.
"""

from __future__ import annotations

from dataclasses import dataclass

PREFIX = "crmapp"
EVERYTHING = "everything"
QUEUE = "queue"
HEALTH = "queue-health"
RECHECK = "recheck"


@dataclass(frozen=True)
class Topic:
    """`owner` is the id of the user whose topic it is; empty for one that every administrator may see."""

    name: str
    owner: str = ""

    def channel(self, namespace: str) -> str:
        return f"{PREFIX}:{namespace}:{self.owner}:{self.name}"

    @classmethod
    def of_channel(cls, channel: str) -> Topic:
        _, _, owner, name = channel.split(":", 3)
        return cls(name, owner)

    @property
    def rooms(self) -> tuple[str, ...]:
        if not self.owner:
            return (self.name,)
        return (self.name, user_room(self.owner), EVERYTHING)


EMAIL_QUEUE = Topic(QUEUE)
QUEUE_HEALTH = Topic(HEALTH)
ALERTS = Topic("alerts")


def session_topic(session_id: str, owner: str) -> Topic:
    return Topic(f"session/{session_id}", owner)


def user_room(user_id: str) -> str:
    return f"user/{user_id}"


def logins_room(user_id: str) -> str:
    """Every stream of the user, whatever it shows: those who are asked again whether they may stay."""
    return f"logins/{user_id}"
