"""What an activation would do, before it does anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import chain, islice

from crmapp.accounts.users import User
from crmapp.activation.selection import queries
from crmapp.activation.verdicts import Reason, address_of, taken_by_users, verdict
from crmapp.database import Db, Document
from crmapp.jobs.jobs import ItemState
from crmapp.leads import selections
from crmapp.leads.leads import LeadStatus
from crmapp.requests import BadInput

BATCH = 1000


def preview(db: Db, user: User, wanted: Document) -> Document:
    """How many of the leads that are `wanted` (see selections.parse) would become users, and how many not, by reason.
    They are frozen as a set, whose id is part of the answer.

    Raises BadInput where nothing is selected.
    """
    selection = selections.freeze(db, user, wanted)
    outcomes: Counter[Reason | None] = Counter(_outcomes(db, {"selectionId": selection["_id"]}))
    if not outcomes:
        raise BadInput(selections.nothing_in(wanted), 422)
    outcomes[Reason.NOT_FOUND] += selection["total"] - outcomes.total()
    return {
        "selectionId": selection["_id"],
        "total": outcomes.total(),
        "toActivate": outcomes[None],
        "skipped": _by_reason(outcomes, ItemState.SKIPPED),
        "failed": _by_reason(outcomes, ItemState.FAILED),
    }


def _outcomes(db: Db, selection: Document) -> Iterator[Reason | None]:
    shown = {"email": 1, "status": 1}
    found = (db.leads.find(query, shown, batch_size=BATCH) for query in queries(db, selection))
    leads = chain.from_iterable(found)
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
