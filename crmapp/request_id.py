"""Every request has an id: in its answer, in each line of the log that it causes, in what a fault tells a person."""

from __future__ import annotations

import re
from random import getrandbits

from crmapp.logs import request_id

HEADER = "X-Request-ID"
# A proxy's own, if it looks like one: it ends up in logs and pages.
_SANE = re.compile(r"[A-Za-z0-9_.:=+-]{8,64}")


def take(given: str | None) -> None:
    """The request that begins is called what its header says, where that can be a name, and otherwise by a new one."""
    request_id.set(given if given and _SANE.fullmatch(given) else f"{getrandbits(64):016x}")


def current() -> str:
    """That of the request that is being answered; empty outside of one."""
    return request_id.get()


def forget() -> None:
    """The request is over."""
    request_id.set("")
