"""Actions on many leads as jobs among others: a kind for each."""

from __future__ import annotations

from functools import partial

from crmapp.accounts.users import User
from crmapp.bulk.actions import ACTIONS, Action
from crmapp.bulk.run import BulkRun
from crmapp.bulk.start import retry
from crmapp.bulk.verdicts import LABELS
from crmapp.database import Db, Document
from crmapp.jobs.jobs import JobStatus, Phase
from crmapp.jobs.kinds import Kind, Touch
from crmapp.jobs.leases import Lease


def kinds() -> list[Kind]:
    return [_kind_of(action) for action in ACTIONS.values()]


def _kind_of(action: Action) -> Kind:
    def run(db: Db, lease: Lease, touch: Touch) -> BulkRun:
        return BulkRun(db, lease, action)

    def again(db: Db, user: User, job: Document) -> Document:
        return retry(db, user, action, job)

    return Kind(
        type=action.type,
        label=action.label,
        item="lead",
        items="leads",
        succeeded=("changed", "unchanged"),
        run=run,
        message=partial(message, action),
        retry=again,
        reasons=LABELS,
    )


def message(action: Action, numbers: Document) -> str:
    """How such a job stands, in a sentence or two."""
    reached = f"{numbers['processed']:,} / {numbers['total']:,}"
    if numbers["status"] == JobStatus.FAILED:
        return f"Stopped at {reached}: {numbers['problem']}"
    if numbers["phase"] == Phase.RETURNING:
        return "Cancelling…"
    if numbers["status"] == JobStatus.CANCELLED:
        left = numbers["remaining"]
        leads = f"{left:,} lead{'' if left == 1 else 's'}"
        return f"Cancelled: {leads} not reached and left as before. {_done(action, numbers)}"
    if not numbers["usersDone"]:
        word = "Paused at" if numbers["status"] == JobStatus.PAUSED else f"{action.doing}…"
        return f"{word} {reached} ({numbers['percentage']} %)"
    return _done(action, numbers)


def _done(action: Action, numbers: Document) -> str:
    words = {"changed": "deleted" if action.name == "delete" else "changed"}
    told = [
        f"{numbers[name]:,} {words.get(name, name)}"
        for name in ("changed", "unchanged", "skipped", "failed")
        if numbers[name]
    ]
    return f"{', '.join(told)}." if told else "Nothing was done."
