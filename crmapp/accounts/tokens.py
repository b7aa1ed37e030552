"""Signed texts: bearer tokens of programs, and the links in invitations."""

from __future__ import annotations

from enum import StrEnum

from bson import ObjectId
from flask import current_app
from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer

BEARER_SECONDS = 12 * 3600
INVITATION_SECONDS = 7 * 24 * 3600


class LinkFault(StrEnum):
    """Why a link opens nothing."""

    INVALID = "invalid"
    EXPIRED = "expired"
    USED = "used"


class BadLink(Exception):
    def __init__(self, fault: LinkFault) -> None:
        super().__init__(fault)
        self.fault = fault


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


def read_invitation(token: str) -> tuple[ObjectId, str]:
    """The user and nonce that were signed. Raises BadLink where it is forged, damaged or too old."""
    try:
        user_id, nonce = _signer("invitation").loads(token, max_age=INVITATION_SECONDS)
    except SignatureExpired:
        raise BadLink(LinkFault.EXPIRED) from None
    except (BadSignature, ValueError):
        raise BadLink(LinkFault.INVALID) from None
    return ObjectId(user_id), nonce


def _signer(purpose: str) -> URLSafeTimedSerializer:
    assert current_app.secret_key
    return URLSafeTimedSerializer(current_app.secret_key, salt=f"crmapp.{purpose}")
