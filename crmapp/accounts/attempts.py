"""How often signing in may be tried, counted in all processes together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from flask import Flask, current_app
from limits import parse
from limits.storage import MemoryStorage, storage_from_string
from limits.strategies import FixedWindowRateLimiter
from redis.exceptions import RedisError
from werkzeug.exceptions import TooManyRequests

from crmapp.requests import BadInput

PER_ACCOUNT = parse("10 per minute")
PER_ADDRESS = parse("30 per minute")
# Of asking for a new password: each may send a mail.
RESETS_PER_ACCOUNT = parse("3 per hour")
RESETS_PER_ADDRESS = parse("20 per hour")
REDIS_OPTIONS: Any = {"socket_connect_timeout": 0.25, "socket_timeout": 0.25}


class Attempts:
    """Of signing in, that failed or are under way."""

    def __init__(self, redis_url: str, prefix: str) -> None:
        shared = storage_from_string(redis_url, key_prefix=prefix, **REDIS_OPTIONS)
        self._shared = FixedWindowRateLimiter(shared)
        self._own = FixedWindowRateLimiter(MemoryStorage())

    def begin(self, account: str, address: str) -> None:
        """For the account it is counted before it is checked, so that a burst does not slip through.

        Raises TooManyRequests.
        """
        if not self._ask(
            lambda limiter: limiter.test(PER_ADDRESS, address) and limiter.hit(PER_ACCOUNT, account)
        ):
            raise TooManyRequests

    def failed(self, address: str) -> None:
        self._ask(lambda limiter: limiter.hit(PER_ADDRESS, address))

    def succeeded(self, account: str) -> None:
        self._ask(lambda limiter: limiter.clear(PER_ACCOUNT, account))

    def begin_reset(self, account: str, address: str) -> bool:
        """Count that a new password is asked for. False where it was for the account too often, which nobody is told.

        Raises BadInput where it was from the address.
        """
        if not self._ask(lambda limiter: limiter.hit(RESETS_PER_ADDRESS, "reset", address)):
            raise BadInput("Your computer has asked too often. Try again in an hour.", 429)
        return bool(self._ask(lambda limiter: limiter.hit(RESETS_PER_ACCOUNT, "reset", account)))

    def _ask(self, question: Callable[[FixedWindowRateLimiter], Any]) -> Any:
        try:
            return question(self._shared)
        except RedisError:
            # Each process counts for itself then, which is better than not at all.
            return question(self._own)


def init_app(app: Flask, redis_url: str, prefix: str) -> None:
    app.extensions["attempts"] = Attempts(redis_url, prefix)


def attempts() -> Attempts:
    return cast(Attempts, current_app.extensions["attempts"])
