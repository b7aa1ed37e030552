"""A lead on whom much has happened."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from bson import ObjectId
from werkzeug.test import TestResponse

from crmapp.clock import now


@pytest.fixture
def new_lead(db: Any) -> Callable[..., ObjectId]:
    """Writes a lead, Olivia unless told otherwise."""

    def new(**fields: Any) -> ObjectId:
        olivia = {
            "name": "Olivia Smith",
            "email": "olivia@example.com",
            "phone": "1",
            "company": "Acme",
            "source": "web",
            "notes": "",
            "status": "new",
            "tags": ["vip"],
            "createdAt": now(),
            "updatedAt": now(),
        }
        lead = {name: value for name, value in {**olivia, **fields}.items() if value is not None}
        return ObjectId(db.leads.insert_one(lead).inserted_id)

    return new


@pytest.fixture
def send(api: Any) -> Callable[..., TestResponse]:
    """Send a method with a JSON body to a lead."""

    def call(method: str, lead_id: ObjectId | str, body: Any = None) -> TestResponse:
        path = f"/crm/leads/{lead_id}"
        answer: TestResponse = api.client.open(path, method=method, json=body, headers=api.headers)
        return answer

    return call
