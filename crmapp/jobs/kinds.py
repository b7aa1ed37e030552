"""What is particular to the jobs of one type. The parts above hand theirs in; nothing here knows them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, cast

from flask import Flask, current_app

from crmapp.accounts.users import User
from crmapp.database import Db, Document
from crmapp.jobs.leases import Lease


class Run(Protocol):
    """One job in the hands of this process."""

    def step(self) -> bool:
        """Do one chunk. False once no runner is needed any more. Raises LeaseLost where another has the job."""


# Told the key of what is shown and has changed: a job's id, for one.
Touch = Callable[[str], None]


@dataclass(frozen=True)
class Kind:
    """The jobs of one `type`."""

    type: str
    label: str
    item: str  # what it works on, one of them
    items: str
    succeeded: tuple[str, ...]  # the counts of items that went well
    run: Callable[[Db, Lease, Touch], Run]
    # Says in a sentence how a job stands, from its progress.
    message: Callable[[Document], str]
    # A new job, recorded, over the failed items of one; raises BadInput where nothing is left to be tried again.
    retry: Callable[[Db, User, Document], Document]
    reasons: Mapping[str, str]  # of items that were skipped or failed, in words


def init_app(app: Flask, kinds: list[Kind]) -> None:
    app.extensions["job_kinds"] = {kind.type: kind for kind in kinds}


def every() -> dict[str, Kind]:
    """The kinds of the current application, by type."""
    return cast(dict[str, Kind], current_app.extensions["job_kinds"])


def of(type: str) -> Kind:
    return every()[type]
