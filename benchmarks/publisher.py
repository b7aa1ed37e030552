"""Publishes states of one session, in a process of its own, the way of one contestant: told what to do by Helper.

`python -m benchmarks.publisher crmapp SESSION_ID USER_ID` announces as the application does; `flask-sse` and `redis`
publish as users of flask-sse and of redis-py do, on the channel of the session's name.
"""

from __future__ import annotations

import json
import os
import select
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from bson import ObjectId
from flask import Flask
from redis import Redis

from config import Settings
from crmapp.app import create_app
from crmapp.clock import now
from crmapp.jobs.progress import public, topic
from crmapp.live.blueprint import live
from crmapp.live.events import PROGRESS
from crmapp.wire import to_json

Publish = Callable[[int, str], Any]
LAST_REV = 1_000_000


def progress(session_id: str, user_id: str, rev: int) -> dict[str, Any]:
    """A progress document as an activation of 1,000,000 leads has it in the middle."""
    return {
        "sessionId": session_id,
        "total": LAST_REV,
        "activated": rev,
        "skipped": 0,
        "failed": 0,
        "type": "activation",
        "userId": ObjectId(user_id),
        "status": "running",
        "emailsSent": rev // 2,
        "emailsFailed": 0,
        "emailsPending": rev - rev // 2,
        "percentage": 100 * rev // LAST_REV,
        "usersDone": False,
        "usersDoneAt": None,
        "completed": False,
        "msg": f"Creating users… {rev} / {LAST_REV} ({100 * rev // LAST_REV} %)",
        "rev": rev,
        "createdAt": now(),
        "updatedAt": now(),
    }


class Publisher:
    def __init__(self, publish: Publish, session_id: str, user_id: str) -> None:
        self._publish = publish
        self._ids = session_id, user_id
        self._rev = 1

    def steady(self, rate: float, seconds: float) -> dict[int, float]:
        """Publish `rate` a second for `seconds`, or until told something else. Returns when each rev was published."""
        published = {}
        began = time.monotonic()
        for number in range(int(rate * seconds)):
            wait = began + number / rate - time.monotonic()
            if select.select([sys.stdin], [], [], max(0.0, wait))[0]:
                break
            published.update(self.burst(1))
        return published

    def burst(self, count: int) -> dict[int, float]:
        """Publish `count` as fast as that goes. Returns when each rev was published."""
        published = {}
        for _ in range(count):
            self._rev += 1
            data = to_json(public(progress(*self._ids, self._rev)))
            published[self._rev] = time.monotonic()
            self._publish(self._rev, data)
        return published

    def stop(self) -> None:
        """Ends `steady`."""


def crmapp(stack: ExitStack, session_id: str, user_id: str) -> Publish:
    app = create_app(Settings.from_environ(os.environ))
    stack.enter_context(app.app_context())
    session = topic(progress(session_id, user_id, 0))
    return lambda rev, data: live.announce(session, PROGRESS, rev, data)


def flask_sse(stack: ExitStack, session_id: str, user_id: str) -> Publish:
    from flask_sse import sse

    app = Flask(__name__)
    app.config["REDIS_URL"] = os.environ["REDIS_URL"]
    stack.enter_context(app.app_context())
    return lambda rev, data: sse.publish(data, type=PROGRESS, id=rev, channel=session_id)


def redis(stack: ExitStack, session_id: str, user_id: str) -> Publish:
    client = stack.enter_context(Redis.from_url(os.environ["REDIS_URL"]))
    return lambda rev, data: client.publish(
        session_id, json.dumps({"event": PROGRESS, "id": str(rev), "data": data})
    )


def main() -> None:
    way, session_id, user_id = sys.argv[1:]
    ways = {"crmapp": crmapp, "flask-sse": flask_sse, "redis": redis}
    with ExitStack() as stack:
        publisher = Publisher(ways[way](stack, session_id, user_id), session_id, user_id)
        print(json.dumps("ready"), flush=True)
        # readline, not iteration, which would read ahead and keep `steady` from seeing that something was said.
        while line := sys.stdin.readline():
            asked = json.loads(line)
            print(json.dumps(getattr(publisher, asked.pop("do"))(**asked)), flush=True)


if __name__ == "__main__":
    main()
