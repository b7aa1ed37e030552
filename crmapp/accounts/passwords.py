"""Passwords: Argon2id, worked out away from the event loop."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TypeVar

import gevent
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from gevent import monkey

T = TypeVar("T")

MIN_LENGTH = 10
MAX_LENGTH = 200

_hasher = PasswordHasher()  # Argon2id with the library's defaults, RFC 9106's low-memory choice


class PasswordRefused(ValueError):
    """The password cannot be taken. Its text says why."""


def check_choice(password: str, again: str) -> None:
    """Raise PasswordRefused for a password that may not be chosen: length only, no composition rules
    (NIST SP 800-63B, 5.1.1.2)."""
    if len(password) < MIN_LENGTH:
        raise PasswordRefused(f"Please choose at least {MIN_LENGTH} characters.")
    if len(password) > MAX_LENGTH:
        raise PasswordRefused(f"Please choose at most {MAX_LENGTH} characters.")
    if password != again:
        raise PasswordRefused("The two passwords differ. Please type the same one twice.")


def hash_password(password: str) -> str:
    return _aside(lambda: _hasher.hash(password))


def matches(password_hash: str | None, password: str) -> bool:
    """Takes as long for a user who does not exist (None) as for one who does."""
    return (
        _aside(lambda: _verify(password_hash or _nobodys(), password)) and password_hash is not None
    )


@cache
def _nobodys() -> str:
    """A hash that nobody has. Not made at the start of each process, which it would slow down by a sixth."""
    return _hasher.hash("the password of nobody")


def _verify(password_hash: str, password: str) -> bool:
    try:
        return _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


def _aside(work: Callable[[], T]) -> T:
    """In gevent's thread pool, where there is one to keep free: hashing takes tens of milliseconds."""
    if monkey.is_module_patched("threading"):
        return gevent.get_hub().threadpool.apply(work)
    return work()
