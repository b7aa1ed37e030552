"""Filters that a person keeps under a name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bson import ObjectId
from flask import Blueprint, url_for
from flask.typing import ResponseReturnValue
from pymongo import ReturnDocument

from crmapp.accounts.access import signed_in
from crmapp.accounts.users import User
from crmapp.clock import now
from crmapp.database import Db, Document, db
from crmapp.forms import needed
from crmapp.leads import filters, listing, sorting
from crmapp.requests import BadInput, json_object, number, text
from crmapp.wire import success

saved_filters = Blueprint("saved_filters", __name__, url_prefix="/crm/leads/filters")

LONGEST_NAME = 60
MOST = 50


def of(db: Db, user: User) -> list[Document]:
    """{id, name, query, url} of each that `user` has saved, by name."""
    found = db.saved_filters.find({"userId": user.key}).limit(MOST)
    return sorted(map(_public, found), key=lambda one: one["name"].casefold())


def save(db: Db, user: User, values: Mapping[str, Any]) -> Document:
    """Keep the filter and order in the "query" of `values` under its "name", in place of what had that name. Raises
    BadInput."""
    name = needed(" ".join(text(values, "name", LONGEST_NAME).split()), "Give the filter a name.")
    query = _query(values.get("query"))
    mine = {"userId": user.key, "name": name}
    others = {"userId": user.key, "name": {"$ne": name}}
    if db.saved_filters.count_documents(others, limit=MOST) == MOST:
        raise BadInput(f"You have {MOST} filters already: delete one you no longer need.", 409)
    kept = db.saved_filters.find_one_and_update(
        mine,
        {"$set": {"query": query}, "$setOnInsert": {"createdAt": now()}},
        upsert=True,
        return_document=ReturnDocument.AFTER,
    )
    assert kept is not None
    return _public(kept)


def _query(given: Any) -> dict[str, str]:
    if not isinstance(given, dict):
        raise BadInput("query must be an object with the keys of GET /crm/leads.")
    rest = {name: value for name, value in given.items() if name not in ("sort", "pageSize")}
    query = filters.parse(rest)
    if sort := text(given, "sort", most=60):
        sorting.order_of(sort)
        query["sort"] = sort
    if given.get("pageSize"):
        most = max(listing.PAGE_SIZES)
        query["pageSize"] = str(number(given, "pageSize", listing.PAGE_SIZE, most))
    return query


def _public(kept: Document) -> Document:
    url = url_for("leads.index", **kept["query"])
    return {"id": kept["_id"], "name": kept["name"], "query": kept["query"], "url": url}


@saved_filters.get("")
def index() -> ResponseReturnValue:
    return success({"items": of(db, signed_in())})


@saved_filters.post("")
def add() -> ResponseReturnValue:
    return success(save(db, signed_in(), json_object()), 201)


@saved_filters.delete("/<filter_id>")
def delete(filter_id: str) -> ResponseReturnValue:
    wanted = ObjectId(filter_id) if ObjectId.is_valid(filter_id) else None
    gone = db.saved_filters.delete_one({"_id": wanted, "userId": signed_in().key})
    if not gone.deleted_count:
        raise BadInput("There is no such filter any more.", 404)
    return success({"id": filter_id})
