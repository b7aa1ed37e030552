"""What an activation would do, before it does anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import islice

from crmapp.activation.selection import to_query
from crmapp.activation.verdicts import Reason, address_of, taken_by_users, verdict
from crmapp.database import Db, Document
from crmapp.jobs.jobs import ItemState
from crmapp.leads.leads import LeadStatus
from crmapp.requests import BadInput

BATCH = 1000


def preview(db: Db, selection: Document) -> Document:
    """How many of the selected leads would become users, and how many not, by reason.

    Raises BadInput where nothing is selected.
    """
    outcomes: Counter[Reason | None] = Counter(_outcomes(db, selection))
    if "leadIds" in selection:
        outcomes[Reason.NOT_FOUND] += len(selection["leadIds"]) - outcomes.total()
    if not outcomes.total() - outcomes[Reason.NOT_FOUND]:
        raise BadInput(nothing_selected(selection), 422)
    return {
        "total": outcomes.total(),
        "toActivate": outcomes[None],
        "skipped": _by_reason(outcomes, ItemState.SKIPPED),
        "failed": _by_reason(outcomes, ItemState.FAILED),
    }


def nothing_selected(selection: Document) -> str:
    if "leadIds" in selection:
        return "None of the selected leads exists any more: reload the page and select again."
    if "failedOf" in selection:
        return "None of the leads that failed in this job is still there as failed: nothing is left to retry."
    return "No lead matches this filter: change the filter."


def _outcomes(db: Db, selection: Document) -> Iterator[Reason | None]:
    leads = iter(db.leads.find(to_query(selection), {"email": 1, "status": 1}, batch_size=BATCH))
    seen: set[str] = set()
    while batch := list(islice(leads, BATCH)):
        addresses = {lead["_id"]: address_of(lead) for lead in batch}
        taken = taken_by_users(db, addresses)
        for lead in batch:
            address = addresses[lead["_id"]]
            reason = _of_status(lead) or verdict(lead["_id"], address, taken, seen, None)
            if reason is None and address:
                seen.add(address)
            yield reason


def _of_status(lead: Document) -> Reason | None:
    if lead.get("status") == LeadStatus.ACTIVATING:
        return Reason.HELD_BY_ANOTHER_SESSION
    if lead.get("status") == LeadStatus.ACTIVE:
        return Reason.ALREADY_ACTIVE
    return None


def _by_reason(outcomes: Counter[Reason | None], state: ItemState) -> dict[str, int]:
    return {
        reason.value: count
        for reason, count in outcomes.most_common()
        if reason and reason.state == state and count
    }
