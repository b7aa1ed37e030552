"""Signed texts: bearer tokens of programs, and the links in invitations and to a new password."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from typing import NamedTuple

from bson import ObjectId
from flask import current_app
from itsdangerous import BadSignature, URLSafeTimedSerializer

BEARER_SECONDS = 12 * 3600
INVITATION_SECONDS = 7 * 24 * 3600
RESET_SECONDS = 3600


class LinkFault(StrEnum):
    """Why a link opens nothing."""

    INVALID = "invalid"
    EXPIRED = "expired"
    USED = "used"
    SUPERSEDED = "superseded"  # a newer invitation was sent


class BadLink(Exception):
    def __init__(self, fault: LinkFault) -> None:
        super().__init__(fault)
        self.fault = fault


class SignedLink(NamedTuple):
    """What a link that was not forged says, also when it is too old to be used."""

    user_id: ObjectId
    nonce: str
    expired: bool


def issue_bearer(session_id: str) -> str:
    """A token that stands for `session_id` (see `User.get_id`) for BEARER_SECONDS."""
    return _signer("bearer").dumps(session_id)


def read_bearer(token: str) -> str | None:
    try:
        return str(_signer("bearer").loads(token, max_age=BEARER_SECONDS))
    except BadSignature:
        return None


def sign_invitation(user_id: ObjectId, nonce: str) -> str:
    """The last part of an invitation's address. It is never stored: `nonce` says whether it still counts."""
    return _signer("invitation").dumps([str(user_id), nonce])


def read_invitation(token: str) -> SignedLink:
    """Raises BadLink where it is forged or damaged."""
    return _read_link("invitation", token, INVITATION_SECONDS)


def sign_reset(user_id: ObjectId, nonce: str) -> str:
    """The same for the address under which a forgotten password is replaced."""
    return _signer("reset").dumps([str(user_id), nonce])


def read_reset(token: str) -> SignedLink:
    """Raises BadLink where it is forged or damaged."""
    return _read_link("reset", token, RESET_SECONDS)


def _read_link(purpose: str, token: str, seconds: int) -> SignedLink:
    try:
        (user_id, nonce), signed_at = _signer(purpose).loads(token, return_timestamp=True)
    except (BadSignature, ValueError):
        raise BadLink(LinkFault.INVALID) from None
    age = (datetime.now(UTC) - signed_at).total_seconds()
    return SignedLink(ObjectId(user_id), nonce, age > seconds)


def _signer(purpose: str) -> URLSafeTimedSerializer:
    assert isinstance(current_app.secret_key, str)
    return _signer_of(current_app.secret_key, purpose)


@cache
def _signer_of(secret_key: str, purpose: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(secret_key, salt=f"crmapp.{purpose}")
