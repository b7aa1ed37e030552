"""What is done with many leads at once: a preview freezes them, and the same call without /preview does it."""

from __future__ import annotations

from crmapp.bulk.actions import ACTIONS
from crmapp.leads.fields import STAGES
from crmapp.openapi.leads import SET, TAGS
from crmapp.openapi.parts import (
    COUNT,
    ID,
    PAGE,
    TEXT,
    Operation,
    Paths,
    Schema,
    by_name,
    endpoint,
    json_body,
    just_one_of,
    maybe,
    obj,
    one_of,
    ref,
    text,
    told,
)

WANTED: dict[str, dict[str, Schema]] = {
    "assign": {"agentId": told(maybe(ID), "Of a user, or null for nobody.")},
    "status": {"status": one_of(STAGES)},
    "tag": {"add?": TAGS, "remove?": TAGS},
    "delete": {},
}
SESSION_ID = told(
    text(100, pattern="^activation_[0-9]{10,16}_[A-Za-z0-9]{4,40}$"),
    "The same id again starts nothing twice.",
)

SCHEMAS: dict[str, Schema] = {
    "Started": obj({"jobId": TEXT, "sessionId": TEXT, "total": COUNT}),
    "BulkPreview": obj(
        {
            "selectionId": TEXT,
            "total": PAGE,
            "toChange": COUNT,
            "unchanged": COUNT,
            "skipped": told(by_name(COUNT), "by reason"),
            "journalEntries?": told(COUNT, "that go with the leads; only for delete"),
        }
    ),
    "ActivationPreview": obj(
        {
            "selectionId": TEXT,
            "total": PAGE,
            "toActivate": COUNT,
            "skipped": told(by_name(COUNT), "by reason"),
            "failed": told(by_name(COUNT), "by reason"),
        }
    ),
}


def _body(wanted: dict[str, Schema]) -> Operation:
    return json_body(obj({**SET, **wanted}, **just_one_of(SET)))


def _paths_of(name: str) -> Paths:
    label, body = ACTIONS[name].label, _body(WANTED[name])
    return {
        f"/crm/leads/bulk/{name}/preview": {
            "post": endpoint(
                f"{label}: what would happen", ref("BulkPreview"), body=body, errors=(410, 422)
            )
        },
        f"/crm/leads/bulk/{name}": {
            "post": endpoint(
                f"{label}: do it",
                ref("Started"),
                status=202,
                body=body,
                errors=(409, 410, 422),
                words="The same selectionId again starts nothing twice.",
            )
        },
    }


PATHS: Paths = {
    "/crm/leads/activate/preview": {
        "post": endpoint(
            "Activation: what would happen",
            ref("ActivationPreview"),
            body=_body({}),
            errors=(410, 422),
        )
    },
    "/crm/leads/activate": {
        "post": endpoint(
            "Activate leads: each becomes a user, who is invited by e-mail",
            obj({"sessionId": TEXT, "total": COUNT}),
            status=202,
            body=_body({"sessionId?": SESSION_ID}),
            errors=(409, 410, 422),
        )
    },
    **{path: each for name in WANTED for path, each in _paths_of(name).items()},
}
