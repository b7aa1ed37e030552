"""Journal entries and goals."""

from __future__ import annotations

from crmapp.goals import fields as goal_fields
from crmapp.goals.filters import State
from crmapp.journal.fields import LONGEST_TEXT, Kind
from crmapp.journal.lead_choice import MOST
from crmapp.openapi.parts import (
    ANYTHING,
    DAY,
    FLAG,
    ID,
    TEXT,
    TIME,
    Paths,
    Schema,
    array,
    closed,
    endpoint,
    json_body,
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

PAGES = {"page": whole(COUNTED_UP_TO // PAGE_SIZE)}
VERSION = told(TIME, "Of the version that is changed: 409 where somebody has changed it since.")
AMOUNT: Schema = {"type": "number", "minimum": 0, "maximum": goal_fields.GREATEST}

SCHEMAS: dict[str, Schema] = {
    "JournalEntry": obj(
        {
            "id": ID,
            "leadId": maybe(ID),
            "lead": maybe(obj({"name": maybe(TEXT), "email": maybe(TEXT)})),
            "kind": maybe(TEXT),
            "text": TEXT,
            "authorId": maybe(ID),
            "authorName": maybe(TEXT),
            "at": maybe(TIME),
            "createdAt": maybe(TIME),
            "updatedAt": maybe(TIME),
        }
    ),
    "Goal": obj(
        {
            "id": ID,
            "userId": maybe(ID),
            "userName": maybe(TEXT),
            "title": maybe(TEXT),
            "target": maybe({"type": "number"}),
            "unit": maybe(TEXT),
            "progress": maybe({"type": "number"}),
            "notes": maybe(TEXT),
            "from": told(TEXT, "A day."),
            "to": told(TEXT, "A day, which still counts."),
            "percentage": {"type": "integer", "minimum": 0},
            "state": one_of(State),
            "createdBy": ANYTHING,
            "createdAt": maybe(TIME),
            "updatedAt": maybe(TIME),
        }
    ),
}
ENTRY: dict[str, Schema] = {
    "leadId": ID,
    "kind": one_of(Kind),
    "text": text(LONGEST_TEXT, minLength=1),
    "at?": told(TIME, "Now by default, and not in the future."),
}
GOAL: dict[str, Schema] = {
    "userId": ID,
    "title": text(goal_fields.LONGEST_TITLE, minLength=1),
    "target": {**AMOUNT, "exclusiveMinimum": 0},
    "unit?": text(goal_fields.LONGEST_UNIT),
    "progress?": {**AMOUNT, "default": 0},
    "from": DAY,
    "to": DAY,
    "notes?": text(goal_fields.LONGEST_NOTES),
}


def _maybe_given(fields: dict[str, Schema]) -> dict[str, Schema]:
    return {**{f"{name.removesuffix('?')}?": each for name, each in fields.items()}}


def _paths(
    below: str, what: str, shared: str, filter: dict[str, Schema], given: dict[str, Schema]
) -> Paths:
    name = {"Entry": "entry_id", "Goal": "goal_id"}[what]
    one = path(**{name: ID})
    changed = {**_maybe_given(given), "updatedAt?": VERSION}
    return {
        below: {
            "get": endpoint(
                "A page of them, newest first",
                page_of(ref(shared), capped=FLAG),
                parameters=query({**filter, **PAGES}),
            ),
            "post": endpoint(
                "Add one",
                ref(shared),
                status=201,
                body=json_body(closed({**given, "updatedAt?": VERSION})),
                errors=(422,),
            ),
        },
        f"{below}/{{{name}}}": {
            "get": endpoint("One of them", ref(shared), parameters=one, errors=(404,)),
            "patch": endpoint(
                "Change one",
                ref(shared),
                parameters=one,
                body=json_body(closed(changed)),
                errors=(404, 409, 422),
            ),
            "delete": endpoint("Delete one", ref(shared), parameters=one, errors=(404,)),
        },
    }


PATHS: Paths = {
    **_paths(
        "/crm/journal",
        "Entry",
        "JournalEntry",
        {
            "q": text(200),
            "kind": one_of(Kind),
            "lead": ID,
            "author": ID,
            "from": DAY,
            "to": DAY,
        },
        ENTRY,
    ),
    "/crm/journal/leads": {
        "get": endpoint(
            "Leads that one may mean",
            obj({"items": array(obj({"id": ID, "label": TEXT, "company": TEXT}), maxItems=MOST)}),
            parameters=query({"q": text(200)}),
        )
    },
    **_paths(
        "/crm/goals",
        "Goal",
        "Goal",
        {"q": text(200), "person": ID, "state": one_of(State)},
        GOAL,
    ),
}
