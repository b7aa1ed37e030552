"""What is going on, the search over everything, and whether the parts answer."""

from __future__ import annotations

from crmapp.alerts.conditions import Condition
from crmapp.openapi.parts import (
    COUNT,
    FLAG,
    TEXT,
    TIME,
    Paths,
    Schema,
    array,
    by_name,
    endpoint,
    events,
    maybe,
    obj,
    one_of,
    query,
    ref,
    success,
    text,
    told,
)

PER_DAY = maybe(by_name(COUNT))

SCHEMAS: dict[str, Schema] = {
    "Alert": obj(
        {
            "condition": one_of(Condition),
            "since": TIME,
            "text": told(TEXT, "Holds times as {at:…}, {in:…} and {for:…}."),
            "advice": TEXT,
            "link": TEXT,
            "linkText": TEXT,
        }
    ),
    "Hit": obj(
        {"title": TEXT, "url": TEXT, "detail": TEXT, "status": TEXT, "at": maybe(TIME)},
    ),
    "SearchSection": obj(
        {
            "name": TEXT,
            "title": TEXT,
            "hits": told(maybe(array(ref("Hit"))), "null where looking for them took too long"),
            "all_url": TEXT,
        }
    ),
}

READY = endpoint(
    "Whether MongoDB and Redis answer", obj({"mongodb": FLAG, "redis": FLAG}), public=True
)
READY["responses"]["503"] = {
    **success(obj({"mongodb": {"const": False}, "redis": FLAG})),
    "description": "MongoDB does not answer.",
}

PATHS: Paths = {
    "/healthz": {
        "get": endpoint("Whether the process is alive", obj({"alive": FLAG}), public=True)
    },
    "/readyz": {"get": READY},
    "/api/openapi.json": {
        "get": endpoint(
            "This description",
            {
                "description": "OpenAPI 3.1",
                "content": {"application/json": {"schema": {"type": "object"}}},
            },
        )
    },
    "/stream": {
        "get": endpoint(
            "Every topic that one may see, as server-sent events",
            events(
                "Events `progress`, `complete`, `job`, `emailQueueUpdate`, `emailQueueHealth`, `alerts`; each is the "
                "whole state of its topic."
            ),
        )
    },
    "/crm": {
        "get": endpoint(
            "What is going on",
            obj(
                {
                    "leads": told(maybe(by_name(COUNT)), "by status"),
                    "leadsAt": maybe(TIME),
                    "jobs": array(ref("Progress")),
                    "queue?": ref("QueueStatus"),
                    "health?": ref("QueueHealth"),
                    "failedMail?": maybe(array(ref("ReasonGroup"))),
                    "perDay": obj({"activated": PER_DAY, "sent?": PER_DAY, "failed?": PER_DAY}),
                }
            ),
            words="Agents are told nothing of the e-mail queue. What is null is still being counted.",
        )
    },
    "/crm/alerts": {
        "get": endpoint(
            "What needs an administrator now",
            obj({"items": array(ref("Alert")), "timestamp": TIME}),
        )
    },
    "/crm/search": {
        "get": endpoint(
            "Search leads, people, journal, documents and jobs",
            obj({"q": TEXT, "sections": array(ref("SearchSection"))}),
            parameters=query({"q": text(200)}),
        )
    },
}
