"""Syncs, and the documents that they make."""

from __future__ import annotations

from crmapp.jobs.jobs import JobStatus
from crmapp.openapi.parts import (
    COUNT,
    DAY,
    FLAG,
    ID,
    NUMBER,
    PERCENT,
    TEXT,
    TIME,
    Paths,
    Schema,
    array,
    by_name,
    endpoint,
    maybe,
    obj,
    one_of,
    page_of,
    path,
    query,
    ref,
    text,
    told,
    whole,
)
from crmapp.paging import COUNTED_UP_TO, PAGE_SIZE
from crmapp.sync import sources

TYPE = one_of(sources.every())

SCHEMAS: dict[str, Schema] = {
    "Sync": obj(
        {
            "id": TEXT,
            "userId": ID,
            "type": TYPE,
            "status": one_of(JobStatus),
            **dict.fromkeys(("totalItems", "processedItems", "syncedItems", "failedItems"), COUNT),
            "progress": PERCENT,
            "errors": array(obj({"itemId": {}, "title": maybe(TEXT), "reason": TEXT, "msg": TEXT})),
            "startTime": maybe(TIME),
            "endTime": maybe(TIME),
            "duration": told(maybe(NUMBER), "milliseconds"),
        }
    ),
    "SyncedDocument": obj(
        {
            "id": TEXT,
            "type": TEXT,
            "sourceId": {},
            "title": maybe(TEXT),
            "text": told(maybe(TEXT), "no more than an excerpt"),
            "metadata": {},
            "ownerId": maybe(ID),
            "ownerName": maybe(TEXT),
            "date": maybe(TIME),
            "syncedAt": maybe(TIME),
        }
    ),
}

PATHS: Paths = {
    "/api/ml/sync/{type}": {
        "post": endpoint(
            "Sync what has changed",
            obj({"jobId": TEXT, "total": COUNT}),
            status=202,
            parameters=path(type=TYPE),
            errors=(404, 409),
            words="While yours is under way, the same jobId; 409 while somebody else's is.",
        )
    },
    "/api/ml/sync/jobs": {
        "get": endpoint("My syncs, newest first", obj({"items": array(ref("Sync"))}))
    },
    "/api/ml/sync/job/{job_id}": {
        "get": endpoint("One sync", ref("Sync"), parameters=path(job_id=TEXT), errors=(404,))
    },
    "/sync": {
        "get": endpoint(
            "The documents; what fits q best first, without q the newest",
            page_of(ref("SyncedDocument"), capped=FLAG, counts=told(by_name(COUNT), "by type")),
            parameters=query(
                {
                    "q": text(200),
                    "type": TYPE,
                    "owner": ID,
                    "from": DAY,
                    "to": DAY,
                    "page": whole(COUNTED_UP_TO // PAGE_SIZE),
                }
            ),
        )
    },
}
