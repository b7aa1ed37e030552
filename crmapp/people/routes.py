"""The pages of people, their JSON twins, and what administrators do there."""

from __future__ import annotations

from bson import ObjectId
from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from crmapp.accounts import api_tokens, rights
from crmapp.accounts.access import signed_in, wants_json
from crmapp.accounts.users import Role
from crmapp.audit.record import note
from crmapp.database import Document, db
from crmapp.forms import submitted
from crmapp.invitations.resend import Outcome
from crmapp.people import bulk, card, changes, fields, filters, inviting, listing
from crmapp.people.verdicts import Reason, Refused
from crmapp.requests import BadInput, json_object, object_ids, text
from crmapp.wire import success

users = Blueprint("users", __name__, url_prefix="/crm")


@users.before_request
def _not_by_api_tokens() -> None:
    """Who has found a token could otherwise let others in, who stay when it is revoked."""
    if request.method != "GET" and str(getattr(signed_in(), "login", "")).startswith(
        api_tokens.PREFIX
    ):
        raise BadInput("An API token does not manage people: sign in with the password.", 403)


MESSAGES = {
    Outcome.QUEUED: "A new invitation is on its way.",
    Outcome.REQUEUED: "The invitation that had failed is tried again.",
    Outcome.ALREADY_WAITING: "An invitation is waiting in the queue already; nothing new was sent.",
}


@users.get("/users")
def index() -> ResponseReturnValue:
    page, filter, sort = listing.list_page(db, signed_in(), request.args.to_dict())
    if wants_json():
        return success(page.to_dict())
    return render_template(
        "users/index.html",
        page=page,
        filter=filter,
        sort=sort,
        choices=filters.CHOICES,
        roles=_roles(),
        page_sizes=listing.PAGE_SIZES,
    )


def _roles() -> list[str]:
    """Those that the person who asks may give."""
    return [role.value for role in Role if rights.may_manage(signed_in(), role)]


@users.post("/users")
def add() -> ResponseReturnValue:
    wanted = fields.new(submitted(fields.NEW))
    user = changes.add(db, signed_in(), **wanted)
    note(user["email"], role=user["role"])
    msg = f"{user['name']} is added. An invitation goes to {user['email']}."
    return success({**listing.public(user, signed_in()), "msg": msg}, 201)


@users.get("/users/<user_id>")
def show(user_id: str) -> ResponseReturnValue:
    found = card.find(db, signed_in(), _id(user_id))
    if wants_json():
        return success(found)
    return render_template("users/show.html", **found, roles=_roles())


@users.patch("/users/<user_id>")
def change(user_id: str) -> ResponseReturnValue:
    wanted = fields.changed(submitted(fields.CHANGEABLE))
    changed = {}
    try:
        changed = changes.change(db, signed_in(), _id(user_id), wanted)
    except Refused as error:
        if error.reason is not Reason.UNCHANGED:
            raise
    person = card.find(db, signed_in(), _id(user_id))["person"]
    note(person["email"], **changed)
    return success(person)


@users.post("/users/<user_id>/invitation")
def reissue(user_id: str) -> ResponseReturnValue:
    outcome = inviting.invite_again(db, signed_in(), _id(user_id))
    note(outcome=outcome)
    return success({"outcome": outcome, "msg": MESSAGES[outcome]})


@users.post("/users/bulk/<name>/preview")
def preview_bulk(name: str) -> ResponseReturnValue:
    action, body = bulk.named(name), json_object()
    wanted = action.read(signed_in(), body)
    return success(bulk.preview(db, signed_in(), action, wanted, _ids(body)))


@users.post("/users/bulk/<name>")
def run_bulk(name: str) -> ResponseReturnValue:
    action, body = bulk.named(name), json_object()
    wanted = action.read(signed_in(), body)
    outcome = bulk.run(db, signed_in(), action, wanted, _ids(body))
    done = [item["email"] for item in outcome["items"] if item["ok"]]
    note(f"{len(done)} users", **wanted, users=done)
    return success(outcome)


@users.patch("/email-queue/failed/<mail_id>")
def correct_address(mail_id: str) -> ResponseReturnValue:
    email = text(json_object(), "email")
    address = inviting.correct_address(db, signed_in(), _id(mail_id), email)
    note(address)
    return success(
        {
            "email": address,
            "msg": f"A new invitation goes to {address}. The link in the old one no longer works.",
        }
    )


def _ids(body: Document) -> list[ObjectId]:
    ids = object_ids(body.get("userIds"), "userIds", bulk.MOST, "user")
    if not ids:
        raise BadInput("Name at least one user: userIds is a list of ids.")
    return ids


def _id(value: str) -> ObjectId:
    if not ObjectId.is_valid(value):
        raise NotFound
    return ObjectId(value)
