"""Leads out of CSV files: at once, or in steps."""

from __future__ import annotations

from crmapp.leads.headings import FIELDS
from crmapp.openapi.parts import (
    COUNT,
    FLAG,
    TEXT,
    TIME,
    Paths,
    Schema,
    array,
    by_name,
    csv,
    endpoint,
    file_body,
    json_body,
    maybe,
    obj,
    one_of,
    path,
    ref,
    told,
)

FILE: dict[str, Schema] = {
    "id": TEXT,
    "file": TEXT,
    "size": told(COUNT, "bytes"),
    "createdAt": TIME,
    "state": one_of(("uploaded", "started", "imported", "cancelled")),
}
COLUMNS: dict[str, Schema] = {
    "encoding": TEXT,
    "delimiter": TEXT,
    "columns": array(
        obj(
            {
                "index": COUNT,
                "heading": TEXT,
                "field": maybe(one_of(FIELDS)),
                "examples": array(TEXT),
            }
        )
    ),
    "rows": told(array(array(TEXT)), "The first ones."),
    "fields": told(by_name(TEXT), "What a column may hold, and what that is called."),
}
OUTCOME: dict[str, Schema] = {
    "userName": TEXT,
    "counts": by_name(COUNT),
    "badRows": COUNT,
    "job": maybe(ref("Job")),
    "undoJob": maybe(ref("Job")),
    "undone": FLAG,
    "mayUndo": FLAG,
    "mayContinue": FLAG,
}
ROW = obj({"row": COUNT, "reason": TEXT})

SCHEMAS: dict[str, Schema] = {
    "BroughtFile": obj({**FILE, **COLUMNS}),
    "Import": obj({**FILE, **OUTCOME}),
    "ImportWithColumns": obj({**FILE, **COLUMNS, **OUTCOME}),
}

ONE = path(import_id=TEXT)
MAPPING = json_body(
    obj({"mapping?": maybe(by_name(maybe(one_of(FIELDS))))}, description="By the column's number.")
)

PATHS: Paths = {
    "/crm/leads/import": {
        "get": endpoint("The last imports", obj({"items": array(ref("Import"))})),
        "post": endpoint(
            "Import a CSV file at once",
            obj({"imported": COUNT, "updated": COUNT, "skipped": COUNT, "errors": array(ROW)}),
            body=file_body(),
            words="Up to 32 MB. The three numbers add up to the rows.",
        ),
    },
    "/crm/leads/imports": {
        "post": endpoint(
            "Bring a CSV file, to be imported in steps",
            ref("BroughtFile"),
            status=201,
            body=file_body(),
            errors=(422,),
            words="Up to 256 MB, kept for a day.",
        )
    },
    "/crm/leads/imports/{import_id}": {
        "get": endpoint("One import", ref("ImportWithColumns"), parameters=ONE, errors=(404,))
    },
    "/crm/leads/imports/{import_id}/preview": {
        "post": endpoint(
            "What would come of it; nothing is written",
            obj(
                {
                    **dict.fromkeys(("rows", "new", "updated", "unchanged"), COUNT),
                    **dict.fromkeys(("duplicates", "bad"), COUNT),
                    "reasons": by_name(COUNT),
                    "labels": told(by_name(TEXT), "of the reasons"),
                    "examples": array(ROW),
                    "complete": told(FLAG, "whether every row was read"),
                }
            ),
            parameters=ONE,
            body=MAPPING,
            errors=(404, 410, 422),
        )
    },
    "/crm/leads/imports/{import_id}/start": {
        "post": endpoint(
            "Import it",
            ref("Started"),
            status=202,
            parameters=ONE,
            body=MAPPING,
            errors=(404, 409, 410, 422),
            words="`total` is 0: the job first counts the rows.",
        )
    },
    "/crm/leads/imports/{import_id}/undo": {
        "post": endpoint(
            "Undo it", ref("Started"), status=202, parameters=ONE, errors=(404, 409, 410)
        )
    },
    "/crm/leads/imports/{import_id}/bad-rows.csv": {
        "get": endpoint(
            "The rows that were not imported",
            csv("The reason, and the cells as they were."),
            parameters=ONE,
            errors=(404, 409),
        )
    },
}
