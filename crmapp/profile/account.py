"""What a person sees and changes of their own account."""

from __future__ import annotations

from typing import Any

from bson import ObjectId

from crmapp.accounts import api_tokens, passwords, sessions, users
from crmapp.accounts.passwords import PasswordRefused
from crmapp.accounts.users import User
from crmapp.clock import now
from crmapp.database import Db, Document
from crmapp.forms import BadFields
from crmapp.profile.user_agents import in_words
from crmapp.requests import BadInput

LONGEST_NAME = 200
MOST_TOKENS = 20


def overview(db: Db, user: User) -> Document:
    """Who `user` is, where they are signed in, and their tokens."""
    mine = sessions.id_of(user.login)
    return {
        "user": user.public(),
        "sessions": [
            {
                "id": row["_id"],
                **{name: row[name] for name in ("kind", "address", "createdAt", "lastSeenAt")},
                "program": in_words(row["agent"]),
                "isThis": row["_id"] == mine,
            }
            for row in sessions.of_user(db, user.key)
        ],
        "tokens": [public_token(token) for token in api_tokens.of_user(db, user.key)],
    }


def public_token(token: Document) -> Document:
    names = ("name", "start", "createdAt", "expiresAt", "lastUsedAt", "lastAddress")
    expired = token["expiresAt"] <= now()
    return {"id": token["_id"], **{name: token[name] for name in names}, "expired": expired}


def rename(db: Db, user: User, name: str) -> None:
    db.users.update_one({"_id": user.key}, {"$set": {"name": name}})


def change_password(db: Db, user: User, old: str, new: str, again: str) -> User:
    """Give the user another password, and sign them out everywhere. Returns them as they are now. Raises BadFields."""
    if not passwords.matches(user.password_hash, old):
        raise BadFields({"password": "This is not your present password."})
    try:
        passwords.check_choice(new, again, user.name, user.email)
    except PasswordRefused as error:
        raise BadFields({"newPassword": str(error)}) from None
    users.replace_password(db, user.key, passwords.hash_password(new))
    return signed_out(db, user)


def signed_out(db: Db, user: User) -> User:
    """Sign `user` out everywhere. Returns them as they are now, to be signed in here again."""
    return sessions.end_all(db, user.key) or user


def add_token(db: Db, user: User, name: str, days: int) -> tuple[str, Document]:
    """The token, shown this once, and what is shown of it later. Raises BadInput where there are too many."""
    if db.api_tokens.count_documents({"userId": user.key}, limit=MOST_TOKENS) == MOST_TOKENS:
        raise BadInput(f"You have {MOST_TOKENS} tokens: revoke one you no longer need.", 409)
    text, token = api_tokens.create(db, user, name, days)
    return text, public_token(token)


def revoke_token(db: Db, user: User, token_id: str) -> Any:
    """The name of the token that was revoked. Raises BadInput where there is none."""
    wanted = ObjectId(token_id) if ObjectId.is_valid(token_id) else None
    token = db.api_tokens.find_one({"_id": wanted, "userId": user.key}, {"name": 1})
    if token is None or not api_tokens.revoke(db, user.key, token["_id"]):
        raise BadInput("There is no such token any more.", 404)
    return token["name"]
