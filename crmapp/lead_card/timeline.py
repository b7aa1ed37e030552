"""What has happened to a lead, and to the user that it has become."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from bson import ObjectId

from crmapp.accounts import staff
from crmapp.accounts.users import User
from crmapp.database import Db, Document
from crmapp.invitations import people
from crmapp.jobs import jobs, kinds, listing
from crmapp.leads.changes import CHANGED
from crmapp.leads.leads import LeadStatus

MOST = 200
LABELS = {
    "name": "Name",
    "email": "E-mail",
    "phone": "Phone",
    "company": "Company",
    "source": "Source",
    "notes": "Notes",
    "tags": "Tags",
    "agentId": "Agent",
    "status": "Status",
}
LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)


def of(db: Db, lead: Document, user: Document | None, viewer: User) -> tuple[list[Document], bool]:
    """The MOST newest entries about the shown `lead` and its `user`, and whether there are more: {type, at, by, …}.
    The jobs that they name can be opened as far as `viewer` may see them."""
    events = _changes(db, lead["_id"])
    named = [event.get("jobId") for event in events]
    known_jobs = _jobs(db, [*named, lead["activationId"]], viewer)
    entries = [
        *_first_sign_in(user),
        *people.timeline(db, lead["_id"], MOST + 1),
        *_told(db, events, known_jobs),
        *_activation(db, lead, user, known_jobs),
        _added(db, lead, viewer),
    ]
    entries.sort(key=lambda entry: entry["at"] or LONG_AGO, reverse=True)
    return entries[:MOST], len(entries) > MOST


def _changes(db: Db, lead_id: ObjectId) -> list[Document]:
    found = db.events.find({"leadId": lead_id, "type": CHANGED}).sort("at", -1)
    return list(found.limit(MOST + 1))


def _jobs(db: Db, job_ids: Iterable[Any], viewer: User) -> dict[str, Document]:
    """{id, label, by, open} of each job that is still kept, by its id."""
    ids = [job_id for job_id in set(job_ids) if isinstance(job_id, str)]
    found = db.jobs.find({"_id": {"$in": ids}}, {"type": 1, "userId": 1, "userName": 1})
    return {
        job["_id"]: {
            "id": job["_id"],
            "label": listing.label(job),
            "type": job["type"],
            "by": job["userName"],
            "open": jobs.may_see(job, viewer.key, viewer.sees_everything),
        }
        for job in found
    }


def _job(job_id: Any, known_jobs: dict[str, Document]) -> Document | None:
    """What is told of a job, also where it is kept no longer."""
    if not isinstance(job_id, str):
        return None
    job = known_jobs.get(job_id)
    return {
        "id": job_id,
        "label": job["label"] if job else "Job",
        "open": bool(job and job["open"]),
    }


def _first_sign_in(user: Document | None) -> list[Document]:
    at = user.get("firstSignInAt") if user else None
    return [{"type": "first_sign_in", "at": at, "by": None}] if at else []


def _told(db: Db, events: list[Document], known_jobs: dict[str, Document]) -> Iterable[Document]:
    agents = _names_of_agents(db, events)
    for event in events:
        by = event.get("by")
        yield {
            "type": "changed",
            "how": event.get("how"),
            "at": event["at"],
            "by": by.get("name") if isinstance(by, dict) else None,
            "job": _job(event.get("jobId"), known_jobs),
            "changes": [
                {
                    "field": field,
                    "label": LABELS.get(field, field),
                    **{side: _side(field, value, agents) for side, value in sides.items()},
                }
                for field, sides in _pairs(event)
            ],
        }


def _pairs(event: Document) -> Iterable[tuple[str, Document]]:
    for field, pair in event["changes"].items():
        yield field, {"before": pair[0], "after": pair[1]}


def _names_of_agents(db: Db, events: list[Document]) -> dict[Any, str]:
    ids = [value for event in events for value in event["changes"].get("agentId", ()) if value]
    found = db.users.find({"_id": {"$in": ids}}, {"name": 1, "email": 1}) if ids else ()
    return {person["_id"]: staff.name_of(person) for person in found}


def _side(field: str, value: Any, agents: dict[Any, str]) -> str:
    """A value before or after a change, as text."""
    if field == "agentId" and value:
        return agents.get(value, "somebody who has left")
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


def _activation(
    db: Db, lead: Document, user: Document | None, known_jobs: dict[str, Document]
) -> list[Document]:
    job_id = lead["activationId"]
    job = known_jobs.get(job_id or "")
    if user or lead["activatedAt"]:
        by = job["by"] if job else people.name_of(db, user.get("invitedBy")) if user else None
        at = lead["activatedAt"] or (user or {}).get("createdAt")
        return [{"type": "activated", "at": at, "by": by, "job": _job(job_id, known_jobs)}]
    if lead["status"] == LeadStatus.FAILED and job:
        return _failed(db, lead, job)
    return []


def _failed(db: Db, lead: Document, job: Document) -> list[Document]:
    row = db.job_errors.find_one({"_id": f"{job['id']}:{lead['_id']}"})
    if row is None:
        return []
    kind = kinds.every().get(job["type"])
    reason = kind.reasons.get(row["reason"], row["reason"]) if kind else row["reason"]
    told = _job(job["id"], {job["id"]: job})
    return [
        {"type": "not_activated", "at": row["at"], "by": job["by"], "job": told, "reason": reason}
    ]


def _added(db: Db, lead: Document, viewer: User) -> Document:
    added = {"type": "added", "at": lead["createdAt"], "by": lead["createdBy"]}
    if not lead["importId"]:
        return added
    brought = db.imports.find_one({"_id": lead["importId"]}, {"file": 1, "userId": 1})
    if brought is None:
        return {**added, "type": "imported"}
    may_open = jobs.may_see(brought, viewer.key, viewer.sees_everything)
    file = {"id": brought["_id"], "file": brought["file"], "open": may_open}
    return {**added, "type": "imported", "import": file}
