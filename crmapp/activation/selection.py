"""Which leads are meant: a list of ids, a filter, or those that failed in another job."""

from __future__ import annotations

from typing import Any

from crmapp.database import Document
from crmapp.leads import filters
from crmapp.leads.leads import LeadStatus
from crmapp.requests import BadInput, object_ids

MOST_IDS = 100_000


def parse(body: dict[str, Any]) -> Document:
    """The selection in a request's body, as a job keeps it. Raises BadInput."""
    if ("leadIds" in body) == ("filter" in body):
        raise BadInput("Send either leadIds, a list of ids, or filter, an object.")
    if "filter" in body:
        if not isinstance(body["filter"], dict):
            raise BadInput("filter must be an object with the keys of GET /crm/leads.")
        return {"filter": filters.parse(body["filter"])}
    ids = object_ids(body["leadIds"], "leadIds", MOST_IDS)
    if not ids:
        raise BadInput("The selection is empty: select at least one lead.")
    return {"leadIds": ids}


def to_query(selection: Document) -> Document:
    """The MongoDB query of a selection."""
    if "leadIds" in selection:
        return {"_id": {"$in": selection["leadIds"]}}
    if "failedOf" in selection:
        return {"activationId": selection["failedOf"], "status": LeadStatus.FAILED}
    return filters.to_query(selection["filter"])
