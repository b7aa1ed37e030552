"""Entries in the journal."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from bson import ObjectId

from crmapp.clock import now


@pytest.fixture
def new_entry(db: Any) -> Callable[..., dict[str, Any]]:
    """Writes an entry of `ago` minutes before now."""

    def new(text: str = "Spoke of prices.", ago: int = 0, **fields: Any) -> dict[str, Any]:
        at = now() - timedelta(minutes=ago)
        entry = {
            "_id": ObjectId(),
            "leadId": ObjectId(),
            "kind": "call",
            "text": text,
            "at": at,
            "authorId": ObjectId(),
            "authorName": "Ann",
            "createdAt": at,
            "updatedAt": at,
            **fields,
        }
        db.journal_entries.insert_one(entry)
        return entry

    return new
