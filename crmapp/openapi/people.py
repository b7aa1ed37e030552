"""People, and the audit log."""

from __future__ import annotations

from crmapp.accounts.users import Role
from crmapp.addresses import LONGEST
from crmapp.openapi.parts import (
    COUNT,
    DAY,
    FLAG,
    ID,
    TEXT,
    TIME,
    Operation,
    Paths,
    Schema,
    array,
    closed,
    csv,
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
from crmapp.people import bulk, filters, listing
from crmapp.people.fields import LONGEST_NAME, STATUSES

USER: dict[str, Schema] = {
    "id": ID,
    "name": maybe(TEXT),
    "email": maybe(TEXT),
    "role": maybe(TEXT),
    "status": maybe(TEXT),
    "createdAt": maybe(TIME),
    "lastSeenAt": maybe(TIME),
    "online": FLAG,
    "you": FLAG,
    "mayChange": told(FLAG, "whether you may change them"),
}
MORE: dict[str, Schema] = {
    "firstSignInAt": maybe(TIME),
    "activationId": maybe(TEXT),
    "leadId": maybe(ID),
}
NAME = text(LONGEST_NAME, minLength=1)
ROLE = one_of(Role)
SORT = told(
    one_of(sign + name for name in listing.SORTS for sign in ("", "-")),
    f"With - before it for descending; {listing.DEFAULT} by default.",
)
AUDITED: dict[str, Schema] = {
    "q": told(text(200), "A part of what it was done to, its id, or the id of a request."),
    "person": ID,
    "what": told(text(200), "The `what` of an entry."),
    "address": text(200),
    "from": DAY,
    "to": DAY,
}

SCHEMAS: dict[str, Schema] = {
    "Person": obj(USER),
    "PersonInFull": obj({**USER, **MORE}),
    "BulkOutcome": obj(
        {
            "items": array(
                obj(
                    {
                        "id": ID,
                        "name": maybe(TEXT),
                        "email": maybe(TEXT),
                        "ok": FLAG,
                        "reason": maybe(TEXT),
                        "msg": maybe(TEXT),
                    }
                )
            ),
            "done": COUNT,
            "refused": COUNT,
        }
    ),
    "AuditEntry": obj(
        {
            "id": ID,
            "at": TIME,
            "by": maybe(obj({"id": maybe(ID), "name": TEXT, "role": maybe(TEXT)})),
            "what": TEXT,
            "text": TEXT,
            "target": maybe(TEXT),
            "targetId": maybe(TEXT),
            "details": told({}, "depends on what was done"),
            "more": told(TEXT, "the details in words"),
            "address": maybe(TEXT),
            "requestId": maybe(TEXT),
        }
    ),
}
ONE = path(user_id=ID)


def _bulk(name: str) -> Paths:
    ids = {"userIds": array(ID, minItems=1, maxItems=bulk.MOST)}
    body: Operation = json_body(obj({**ids, "role": ROLE} if name == "role" else ids))
    outcome = ref("BulkOutcome")
    summary = f"Several at once: {name}"
    below = f"/crm/users/bulk/{name}"
    return {
        f"{below}/preview": {
            "post": endpoint(f"{summary}, what would happen", outcome, body=body, errors=(422,))
        },
        below: {"post": endpoint(summary, outcome, body=body, errors=(422,))},
    }


PATHS: Paths = {
    "/crm/users": {
        "get": endpoint(
            "People",
            page_of(ref("Person"), capped=FLAG),
            parameters=query(
                {
                    "q": text(200),
                    **{name: one_of(choices) for name, choices in filters.CHOICES.items()},
                    "sort": SORT,
                    "pageSize": whole(max(listing.PAGE_SIZES), listing.PAGE_SIZE),
                    "page": whole(COUNTED_UP_TO),
                }
            ),
        ),
        "post": endpoint(
            "Add somebody, who is invited by e-mail",
            obj({**USER, "msg": TEXT}),
            status=201,
            body=json_body(closed({"name": NAME, "email": text(2 * LONGEST), "role": ROLE})),
            errors=(409, 422),
        ),
    },
    "/crm/users/{user_id}": {
        "get": endpoint(
            "A user, and what became of their mail",
            obj(
                {
                    "person": ref("PersonInFull"),
                    "sessions": told(COUNT, "in how many places they are signed in"),
                    "invited_by": maybe(TEXT),
                    "timeline": array(ref("MailEvent")),
                    "waiting": told(FLAG, "whether an invitation waits in the queue"),
                    "failed_mail": maybe(ID),
                }
            ),
            parameters=ONE,
            errors=(404,),
        ),
        "patch": endpoint(
            "Change their name, role or status",
            ref("PersonInFull"),
            parameters=ONE,
            body=json_body(
                closed({"name?": NAME, "role?": ROLE, "status?": one_of(STATUSES)}, minProperties=1)
            ),
            errors=(404, 409, 422),
            words="Disabling somebody, or giving them another role, ends their sessions. 403 for somebody above you, "
            "409 for the last active superadmin.",
        ),
    },
    "/crm/users/{user_id}/invitation": {
        "post": endpoint(
            "Send a new invitation; earlier links are useless",
            obj({"outcome": TEXT, "msg": TEXT}),
            parameters=ONE,
            errors=(404, 409, 422),
        )
    },
    **{path: each for name in bulk.ACTIONS for path, each in _bulk(name).items()},
    "/crm/audit": {
        "get": endpoint(
            "Who did what, newest first",
            page_of(ref("AuditEntry"), capped=FLAG),
            parameters=query({**AUDITED, "page": whole(COUNTED_UP_TO // PAGE_SIZE)}),
        )
    },
    "/crm/audit/export.csv": {
        "get": endpoint(
            "The same entries as a file", csv("An entry a row."), parameters=query(AUDITED)
        )
    },
}
