"""Goals of people."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from bson import ObjectId

from crmapp.clock import now
from crmapp.goals.filters import today


@pytest.fixture
def new_goal(db: Any) -> Callable[..., dict[str, Any]]:
    """Sets a goal of which the last day is in `days`."""

    def new(title: str = "Sign ten customers", days: int = 30, **fields: Any) -> dict[str, Any]:
        goal = {
            "_id": ObjectId(),
            "userId": ObjectId(),
            "title": title,
            "target": 10,
            "unit": "customers",
            "progress": 4,
            "from": today() - timedelta(days=60),
            "to": today() + timedelta(days=days),
            "notes": "",
            "createdAt": now(),
            "createdBy": {"id": ObjectId(), "name": "ann@example.com"},
            "updatedAt": now(),
            **fields,
        }
        db.goals.insert_one(goal)
        return goal

    return new
