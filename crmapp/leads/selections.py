"""Sets of leads, frozen and counted: what a person is shown before they confirm is what is then worked on.

A set is kept as parts of up to PART ids, which are the chunks of a job that goes through it.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import islice
from typing import Any, cast

from bson import ObjectId

from crmapp.accounts import rights
from crmapp.accounts.users import User
from crmapp.clock import now
from crmapp.database import Db, Document
from crmapp.jobs.jobs import FOR_RUNNERS
from crmapp.leads import filters
from crmapp.requests import BadInput, object_ids, text

MOST_IDS = 100_000
PART = 500
PARTS_AT_ONCE = 20
KEPT = timedelta(hours=1)
SLOWEST_FREEZE_MS = 60_000
WAYS = ("leadIds", "filter", "selectionId")


def parse(body: dict[str, Any]) -> Document:
    """Which leads a request's body means: one of leadIds, filter and selectionId. Raises BadInput."""
    given = [name for name in WAYS if name in body]
    if len(given) != 1:
        raise BadInput("Send one of leadIds, a list of ids, filter, an object, and selectionId.")
    if given == ["selectionId"]:
        return {"selectionId": text(body, "selectionId", most=100)}
    if given == ["filter"]:
        if not isinstance(body["filter"], dict):
            raise BadInput("filter must be an object with the keys of GET /crm/leads.")
        return {"filter": filters.parse(body["filter"])}
    ids = object_ids(body["leadIds"], "leadIds", MOST_IDS)
    if not ids:
        raise BadInput("The selection is empty: select at least one lead.")
    return {"leadIds": ids}


def freeze(db: Db, user: User, wanted: Document) -> Document:
    """The set that is `wanted` among the leads of `user`, as it is now: {_id, total, …}. One that was frozen before is
    found again.

    Raises BadInput where no lead is in it, or it is kept no longer.
    """
    if "selectionId" in wanted:
        return find(db, user, wanted["selectionId"])
    selection_id, expires = f"selection_{secrets.token_hex(12)}", now() + KEPT
    total = 0
    parts = enumerate(_parts(_ids(db, wanted, rights.leads_of(user))))
    while some := list(islice(parts, PARTS_AT_ONCE)):
        more = {"selectionId": selection_id, "expireAt": expires}
        db.selection_parts.insert_many({**more, "n": n, "ids": ids} for n, ids in some)
        total += sum(len(ids) for _, ids in some)
    if not total:
        raise BadInput(nothing_in(wanted), 422)
    selection = {
        "_id": selection_id,
        "userId": user.key,
        "total": total,
        "createdAt": now(),
        "expireAt": expires,
        **({"filter": wanted["filter"]} if "filter" in wanted else {}),
    }
    db.selections.insert_one(selection)
    return selection


def nothing_in(wanted: Document) -> str:
    if "leadIds" in wanted:
        return "None of the selected leads exists any more: reload the page and select again."
    return "No lead matches this filter: change the filter."


def _ids(db: Db, wanted: Document, limits: Document) -> Iterator[ObjectId]:
    """The ids that were sent are kept as they are: whoever goes through them says which leads are gone."""
    if "leadIds" in wanted:
        some = {"_id": {"$in": wanted["leadIds"]}, **limits}
        return iter(wanted["leadIds"] if db.leads.find_one(some, {"_id": 1}) else ())
    query = rights.within(limits, filters.to_query(wanted["filter"]))
    found = db.leads.find(query, {"_id": 1}, batch_size=10 * PART)
    return (lead["_id"] for lead in found.max_time_ms(SLOWEST_FREEZE_MS))


def _parts(ids: Iterable[ObjectId]) -> Iterator[list[ObjectId]]:
    rest = iter(ids)
    while part := list(islice(rest, PART)):
        yield part


def find(db: Db, user: User, selection_id: str) -> Document:
    """Raises BadInput (410) for one that is kept no longer, or is another's."""
    selection = db.selections.find_one({"_id": selection_id, "userId": user.key})
    if selection is None:
        raise BadInput("This selection is kept no longer: select the leads again.", 410)
    return selection


def part(db: Db, selection_id: str, n: int) -> list[ObjectId] | None:
    """The ids of the part of that number, from 0 on; None after the last one."""
    row = db.selection_parts.find_one({"selectionId": selection_id, "n": n}, {"ids": 1})
    return cast(list[ObjectId], row["ids"]) if row else None


def ids_of(db: Db, selection_id: str) -> Iterator[list[ObjectId]]:
    """The ids of every part, one part after the other."""
    for row in db.selection_parts.find({"selectionId": selection_id}, {"ids": 1}).sort("n", 1):
        yield row["ids"]


def keep(db: Db, selection_id: str) -> None:
    """A job goes through it: it does not expire before `drop`."""
    stays = {"$unset": {"expireAt": 1}}
    db.selection_parts.update_many({"selectionId": selection_id}, stays)
    db.selections.update_one({"_id": selection_id}, stays)


def drop(db: Db, selection_id: str, job_id: str) -> None:
    """The job needs it no longer. It goes, unless another job is to go through it."""
    others = {
        "_id": {"$ne": job_id},
        "phase": {"$in": FOR_RUNNERS},
        "selection.selectionId": selection_id,
    }
    if not db.jobs.find_one(others, {"_id": 1}):
        db.selection_parts.delete_many({"selectionId": selection_id})
        db.selections.delete_one({"_id": selection_id})
