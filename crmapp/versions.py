"""Changing what two people may have open at once, without one of them undoing unseen what the other has done."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bson import ObjectId
from pymongo import ReturnDocument
from pymongo.collection import Collection

from crmapp.clock import now
from crmapp.database import Document
from crmapp.forms import moment
from crmapp.requests import BadInput


class Changed(BadInput):
    """Somebody else has changed or deleted it meanwhile."""


def seen(values: Mapping[str, Any]) -> datetime | None:
    """The `updatedAt` of the version that is to be changed, where it was told. Raises BadInput."""
    return moment(values, "updatedAt") if values.get("updatedAt") else None


def save(
    collection: Collection[Document], _id: ObjectId, changes: Document, version: datetime | None
) -> Document:
    """Write `changes` and a new `updatedAt`; only over the version of that time where one is given. Returns the
    whole document. Raises Changed."""
    wanted = {"_id": _id} if version is None else {"_id": _id, "updatedAt": version}
    document = collection.find_one_and_update(
        wanted,
        {"$set": {**changes, "updatedAt": now()}},
        return_document=ReturnDocument.AFTER,
    )
    if document is None:
        raise _why(collection.find_one({"_id": _id}, {"_id": 1}))
    return document


def _why(still_there: Document | None) -> Changed:
    if still_there:
        return Changed("Somebody else has changed this meanwhile: look at it before you save.", 409)
    return Changed("Somebody else has deleted this meanwhile, so that it cannot be saved.", 404)
