"""Which leads an activation is about: a list of ids, a filter, a frozen set, or those that failed in another job."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice

from crmapp.database import Db, Document
from crmapp.leads import filters, selections
from crmapp.leads.leads import LeadStatus

PARTS_AT_ONCE = 20


def queries(db: Db, selection: Document) -> Iterator[Document]:
    """The MongoDB queries that find the leads of a selection, each lead by one of them."""
    if "selectionId" in selection:
        parts = selections.ids_of(db, selection["selectionId"])
        while some := list(islice(parts, PARTS_AT_ONCE)):
            yield {"_id": {"$in": list(chain.from_iterable(some))}}
    else:
        yield _to_query(selection)


def _to_query(selection: Document) -> Document:
    if "leadIds" in selection:
        return {"_id": {"$in": selection["leadIds"]}}
    if "failedOf" in selection:
        return {"activationId": selection["failedOf"], "status": LeadStatus.FAILED}
    return filters.to_query(selection["filter"])


def nothing_in(selection: Document) -> str:
    if "failedOf" in selection:
        return "None of the leads that failed in this job is still there as failed: nothing is left to retry."
    return selections.nothing_in(selection)
