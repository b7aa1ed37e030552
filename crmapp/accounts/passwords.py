"""Passwords: which may be chosen, and Argon2id, worked out away from the event loop."""

from __future__ import annotations

import re
import string
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
PRODUCT = "crmapp"
# Shorter words are in many a good password by chance.
SHORTEST_WORD = 4
# How many letters and digits have to be left of a password without a common word, or those that everybody connects with
# its user.
LEAST_OF_ONES_OWN = 6
KEYS_IN_A_ROW = tuple(
    row * (MAX_LENGTH // len(keys) + 2)
    for keys in (string.digits, string.ascii_lowercase, "qwertyuiop")
    for row in (keys, keys[::-1])
)

_hasher = PasswordHasher()  # Argon2id with the library's defaults, RFC 9106's low-memory choice


class PasswordRefused(ValueError):
    """The password cannot be taken. Its text says why."""


def check_choice(password: str, again: str, *about: str) -> None:
    """Raise PasswordRefused for a password that may not be chosen by a user whom the texts `about` describe, their name
    and address. The rules are NIST's (SP 800-63B, 5.1.1.2): a length, no composition, nothing that is commonly used,
    repeated, or known of the user or the service."""
    if len(password) < MIN_LENGTH:
        raise PasswordRefused(f"Please choose at least {MIN_LENGTH} characters.")
    if len(password) > MAX_LENGTH:
        raise PasswordRefused(f"Please choose at most {MAX_LENGTH} characters.")
    if _is_common(password):
        raise PasswordRefused(
            "Many people use this password, so it is among the first that are tried. Choose another one, "
            "several words for example."
        )
    if _is_about(password, about):
        raise PasswordRefused(
            "This is mostly your name, your address or the name of this site. Choose another one."
        )
    if password != again:
        raise PasswordRefused("The two passwords differ. Please type the same one twice.")


def _is_common(password: str) -> bool:
    """Also where only digits or signs stand around it: "Welcome2026!" is tried as soon as "welcome"."""
    plain = password.casefold()
    word = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", plain)
    if len(set(plain)) < 3 or any(plain in keys for keys in KEYS_IN_A_ROW):
        return True
    common = _aside(_common)
    return plain in common or (word in common and _is_little(plain.replace(word, "")))


@cache
def _common() -> frozenset[str]:
    """Common passwords and English words. Read when they are first asked for: it takes a tenth of a second."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    return frozenset(
        word
        for name in ("passwords", "english_wikipedia")
        for word in FREQUENCY_LISTS[name]
        if len(word) >= SHORTEST_WORD
    )


def _is_about(password: str, about: tuple[str, ...]) -> bool:
    rest = plain = password.casefold()
    texts = [text.casefold() for text in (*about, PRODUCT)]
    words = {word for text in texts for word in (text, *re.split(r"[\W_]+", text))}
    for word in sorted(words, key=len, reverse=True):
        if len(word) >= SHORTEST_WORD:
            rest = rest.replace(word, "")
    return rest != plain and _is_little(rest)


def _is_little(rest: str) -> bool:
    return len(re.sub(r"[\W_]", "", rest)) < LEAST_OF_ONES_OWN


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
