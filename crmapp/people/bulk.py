"""What is done with several people at once, each on their own: what cannot be done with one of them is said, and the
others are seen to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from bson import ObjectId

from crmapp.accounts.users import User, UserStatus
from crmapp.database import Db, Document
from crmapp.people import changes, fields, inviting, verdicts
from crmapp.people.verdicts import Refused
from crmapp.requests import BadInput

MOST = 500


class Action(NamedTuple):
    """`read` takes what is wanted from a request's body and raises BadInput; `check` says whether it would be done
    with a user as stored, `do` does it with the user of an id; both raise Refused."""

    read: Callable[[User, Mapping[str, Any]], Document]
    check: Callable[[User, Document | None, Document], Any]
    do: Callable[[Db, User, ObjectId, Document], Any]


def _role(actor: User, values: Mapping[str, Any]) -> Document:
    role = fields.role(values)
    verdicts.check_role(actor, role)
    return {"role": role}


def _change(read: Callable[[User, Mapping[str, Any]], Document]) -> Action:
    return Action(read, verdicts.changes, changes.change)


ACTIONS = {
    "disable": _change(lambda actor, values: {"status": UserStatus.DISABLED}),
    "enable": _change(lambda actor, values: {"status": UserStatus.ACTIVE}),
    "role": _change(_role),
    "reinvite": Action(
        lambda actor, values: {},
        lambda actor, user, wanted: verdicts.check_invitation(actor, user),
        lambda db, actor, user_id, wanted: inviting.invite_again(db, actor, user_id),
    ),
}


def named(name: str) -> Action:
    """Raises BadInput (404)."""
    if name not in ACTIONS:
        raise BadInput(f"There is no action {name[:60]!r}. There are: {', '.join(ACTIONS)}.", 404)
    return ACTIONS[name]


def preview(
    db: Db, actor: User, action: Action, wanted: Document, user_ids: list[ObjectId]
) -> Document:
    """{items: [{id, name, email, ok, reason, msg}], done, refused}: what would become of each, and of how many."""
    users = _users(db, user_ids)
    return _told(users, user_ids, lambda user_id: action.check(actor, users.get(user_id), wanted))


def run(
    db: Db, actor: User, action: Action, wanted: Document, user_ids: list[ObjectId]
) -> Document:
    """What has become of each, as `preview` tells it."""
    users = _users(db, user_ids)
    return _told(users, user_ids, lambda user_id: action.do(db, actor, user_id, wanted))


def _users(db: Db, user_ids: list[ObjectId]) -> dict[ObjectId, Document]:
    return {user["_id"]: user for user in db.users.find({"_id": {"$in": user_ids}})}


def _told(
    users: dict[ObjectId, Document], user_ids: list[ObjectId], act: Callable[[ObjectId], Any]
) -> Document:
    items = [_item(user_id, users.get(user_id, {}), act) for user_id in user_ids]
    done = sum(item["ok"] for item in items)
    return {"items": items, "done": done, "refused": len(items) - done}


def _item(user_id: ObjectId, user: Document, act: Callable[[ObjectId], Any]) -> Document:
    who = {"id": user_id, "name": user.get("name"), "email": user.get("email")}
    try:
        act(user_id)
    except BadInput as error:
        reason = error.reason if isinstance(error, Refused) else "changed_meanwhile"
        return {**who, "ok": False, "reason": reason, "msg": str(error)}
    return {**who, "ok": True, "reason": None, "msg": None}
