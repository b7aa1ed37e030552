"""What is noted of a lead that a person, a file or a job has changed: who changed what, for its timeline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bson import ObjectId

from crmapp.clock import now
from crmapp.database import Document

CHANGED = "lead_changed"
DELETED = "lead_deleted"


def between(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, list[Any]]:
    """{field: [before, after]} of those fields of `after` that differ."""
    return {
        name: [before.get(name), value]
        for name, value in after.items()
        if (before.get(name) or None) != (value or None)
    }


def event(
    lead_id: ObjectId,
    by: Document,
    how: str,
    changes: Mapping[str, list[Any]],
    job_id: str | None = None,
) -> Document:
    """`by` is {id, name}; `how` is edit, import, assign, status, tag or undo_import. It has no `userId`: what has one
    tells of a user's mail, and keeps an activation from being undone."""
    return {
        "type": CHANGED,
        "leadId": lead_id,
        "by": by,
        "how": how,
        "changes": dict(changes),
        "jobId": job_id,
        "at": now(),
    }


def deleted(lead: Document, by: Document, job_id: str | None = None) -> Document:
    return {
        "type": DELETED,
        "leadId": lead["_id"],
        "by": by,
        "jobId": job_id,
        "lead": {"name": lead.get("name"), "email": lead.get("email")},
        "at": now(),
    }
