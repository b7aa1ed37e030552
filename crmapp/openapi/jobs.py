"""Jobs: lists, one, its failed items, its progress, and steering it."""

from __future__ import annotations

from crmapp.jobs.jobs import ItemState, JobStatus, Phase
from crmapp.openapi.parts import (
    COUNT,
    DAY,
    FLAG,
    ID,
    NUMBER,
    PERCENT,
    TEXT,
    TIME,
    Operation,
    Paths,
    Schema,
    array,
    by_name,
    csv,
    endpoint,
    events,
    header,
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

MOST_PAGES = 1_000_000
ACTIONS = ("pause", "resume", "cancel", "undo")
STANDING: dict[str, Schema] = {
    "type": TEXT,
    "label": TEXT,
    "userId": ID,
    "userName": TEXT,
    "status": one_of(JobStatus),
    "phase": one_of(Phase),
    "startTime": maybe(TIME),
    "problem": told(maybe(TEXT), "why it failed as a whole"),
    "retryOf": maybe(TEXT),
    "undoUntil": maybe(TIME),
    "undo": told({}, "what an undo has taken back"),
    "total": COUNT,
    "processed": COUNT,
    "ok": COUNT,
    "remaining": {"type": "integer"},
    "percentage": PERCENT,
    "actions": told(array(one_of((*ACTIONS, "retry"))), "what may be done with it now"),
}
JOB: dict[str, Schema] = {
    "id": TEXT,
    **STANDING,
    "counts": by_name(COUNT),
    "createdAt": TIME,
    "endTime": maybe(TIME),
    "duration": told(maybe(NUMBER), "milliseconds"),
    "takeovers": COUNT,
    "retry": told({}, "the job over its failed items"),
    "skipped": COUNT,
    "failed": COUNT,
    "rate": told(maybe(NUMBER), "items a second"),
}
FIGURES: dict[str, Schema] = {
    "jobs": COUNT,
    "medianDuration": maybe(NUMBER),
    "rate": maybe(NUMBER),
    "failedShare": maybe(NUMBER),
}

SCHEMAS: dict[str, Schema] = {
    "Job": obj(JOB),
    "JobItem": obj(
        {
            "itemId": told({}, "an id, or the number of a row"),
            "title": TEXT,
            "state": one_of(ItemState),
            "reason": TEXT,
            "label": TEXT,
            "words": maybe(TEXT),
            "at": TIME,
        }
    ),
    "ItemGroup": obj({"state": one_of(ItemState), "reason": TEXT, "label": TEXT, "count": COUNT}),
    "Progress": told(
        obj(
            {
                "sessionId": TEXT,
                **STANDING,
                "emailsSent": COUNT,
                "emailsFailed": COUNT,
                "emailsPending": COUNT,
                "usersDone": FLAG,
                "usersDoneAt": maybe(TIME),
                "completed": FLAG,
                "pace": {},
                "rev": COUNT,
                "msg": TEXT,
                "createdAt": TIME,
                "updatedAt": TIME,
            },
            additionalProperties=COUNT,
        ),
        "The live numbers of a job. What its items have become is counted under names of its type's: activated, "
        "skipped and failed, say.",
    ),
}

FILTER: dict[str, Schema] = {
    "type": text(200),
    "status": one_of(JobStatus),
    "user": told(ID, "Whose, for superadmins."),
    "from": DAY,
    "to": DAY,
}
ONE, SESSION = path(job_id=TEXT), path(session_id=TEXT)
OF_ITEMS: dict[str, Schema] = {"state": one_of(ItemState), "reason": text(100)}
NOT_MODIFIED: Operation = {"description": "It is as the If-None-Match of the request says."}
LAST_SEEN: Operation = {"description": "The Last-Event-ID of the request was the last event."}

PROGRESS = endpoint(
    "The progress of a job",
    ref("Progress"),
    parameters=[*SESSION, header("If-None-Match", "The ETag of the last answer.")],
    errors=(404,),
)
PROGRESS["responses"]["200"]["headers"] = {"ETag": {"schema": TEXT}}
PROGRESS["responses"]["304"] = NOT_MODIFIED
STREAM = endpoint(
    "The progress of a job as server-sent events",
    events("A snapshot at once, events `progress`, then `complete` and the end."),
    parameters=[*SESSION, header("Last-Event-ID", "The id of the last event, to go on from it.")],
    errors=(404,),
)
STREAM["responses"]["204"] = LAST_SEEN


def _steering(below: str) -> Paths:
    actions = path(job_id=TEXT, action=one_of(ACTIONS))
    done = obj({"job": ref("Job"), "msg": TEXT})
    started = obj(
        {"jobId": TEXT, "sessionId": TEXT, "total": COUNT, "job": ref("Job"), "msg": TEXT}
    )
    return {
        f"{below}/{{job_id}}/{{action}}": {
            "post": endpoint(
                "Steer a job",
                done,
                parameters=actions,
                errors=(404, 409),
                words="The same again changes nothing; 409 says why it cannot be done now.",
            )
        },
        f"{below}/{{job_id}}/retry": {
            "post": endpoint(
                "Try its failed items again, by a job of its own",
                started,
                status=202,
                parameters=ONE,
                errors=(404, 409, 422),
            )
        },
    }


PATHS: Paths = {
    "/crm/jobs": {
        "get": endpoint(
            "Jobs of every type, newest first",
            page_of(ref("Job")),
            parameters=query({**FILTER, "page": whole(MOST_PAGES)}),
        )
    },
    "/crm/jobs/active": {
        "get": endpoint("Jobs that are not over", obj({"items": array(ref("Progress"))}))
    },
    "/crm/jobs/history": {
        "get": endpoint(
            "The same jobs, with figures of 30 days",
            page_of(
                ref("Job"),
                figures=obj({**FIGURES, "days": array(obj({"day": DAY, **FIGURES}))}),
            ),
            parameters=query({**FILTER, "page": whole(MOST_PAGES)}),
        )
    },
    "/crm/jobs/history.csv": {
        "get": endpoint("The same jobs as a file", csv("A job a row."), parameters=query(FILTER))
    },
    "/crm/jobs/{job_id}": {
        "get": endpoint(
            "One job",
            obj(
                {
                    **JOB,
                    "trail": array(
                        obj(
                            {
                                "what": TEXT,
                                "text": TEXT,
                                "at": TIME,
                                "by": maybe(TEXT),
                                "note": maybe(TEXT),
                            }
                        )
                    ),
                    "siblings": array(
                        obj(
                            {
                                "id": TEXT,
                                "status": one_of(JobStatus),
                                "label": TEXT,
                                "createdAt": TIME,
                                "relation": TEXT,
                            }
                        )
                    ),
                    "errorGroups": array(ref("ItemGroup")),
                }
            ),
            parameters=ONE,
            errors=(404,),
        )
    },
    "/crm/jobs/{job_id}/errors": {
        "get": endpoint(
            "The items that were skipped, failed, or kept by an undo",
            page_of(ref("JobItem"), groups=array(ref("ItemGroup"))),
            parameters=[*ONE, *query({**OF_ITEMS, "page": whole(MOST_PAGES)})],
            errors=(404,),
        )
    },
    "/crm/jobs/{job_id}/errors.csv": {
        "get": endpoint(
            "The same items as a file",
            csv("An item a row."),
            parameters=[*ONE, *query(OF_ITEMS)],
            errors=(404,),
        )
    },
    **_steering("/crm/jobs"),
    "/crm/activation/active": {
        "get": endpoint("Activations that are not over", obj({"items": array(ref("Progress"))}))
    },
    "/crm/activation/progress/{session_id}": {"get": PROGRESS},
    "/crm/activation/stream/{session_id}": {"get": STREAM},
    **_steering("/crm/activation"),
}
