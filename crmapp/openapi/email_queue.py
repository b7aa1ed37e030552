"""The e-mail queue."""

from __future__ import annotations

from crmapp.mailqueue.filters import State
from crmapp.mailqueue.health import State as Health
from crmapp.mailqueue.replies import Reason
from crmapp.mailqueue.routes import MOST_IDS
from crmapp.openapi.parts import (
    COUNT,
    DAY,
    FLAG,
    ID,
    TEXT,
    TIME,
    Paths,
    Schema,
    array,
    by_name,
    closed,
    csv,
    endpoint,
    json_body,
    just_one_of,
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

FILTER: dict[str, Schema] = {
    "q": text(200),
    "reason": one_of(Reason),
    "sessionId": text(200),
    "address": told(text(200), "What went to a person, also under an earlier address."),
    "from": DAY,
    "to": DAY,
}
LISTED: dict[str, Schema] = {"state": told(one_of(State), "pending by default"), **FILTER}
HEALTH: dict[str, Schema] = {
    "state": one_of(Health),
    "text": told(TEXT, "Holds times as {at:…}, {in:…} and {for:…}."),
    "trouble": FLAG,
    "timestamp": TIME,
}
WHICH: dict[str, Schema] = {
    "ids?": array(ID, maxItems=MOST_IDS),
    "filter?": ref("MailFilter"),
}
SKIPPED = told(by_name(COUNT), "by reason")

SCHEMAS: dict[str, Schema] = {
    "QueueStatus": obj(
        {**dict.fromkeys(("pending", "processing", "failed", "total"), COUNT), "timestamp": TIME}
    ),
    "QueueHealth": obj(HEALTH),
    "ReasonGroup": obj({"reason": TEXT, "label": TEXT, "count": COUNT}),
    "Mail": obj(
        {
            "state": one_of(State),
            "_id": ID,
            "userId?": maybe(ID),
            "email?": TEXT,
            "template?": TEXT,
            "sessionId?": maybe(TEXT),
            "messageId?": TEXT,
            "attempts?": COUNT,
            "createdAt?": TIME,
            "visibleAt?": TIME,
            "requeuedAt?": maybe(TIME),
            "reason?": maybe(TEXT),
            "error?": maybe(TEXT),
            "lastAttemptDate?": maybe(TIME),
            "dropped?": FLAG,
            "droppedBy?": {},
            "droppedAt?": maybe(TIME),
            "sentAt?": TIME,
            "reply?": maybe(TEXT),
        }
    ),
    "MailEvent": obj(
        {
            "type": TEXT,
            "at": TIME,
            "attempt": maybe(COUNT),
            **{name: maybe(TEXT) for name in ("email", "template", "reply", "reason", "by")},
        }
    ),
    "Alert": obj(
        {
            "condition": TEXT,
            "since": TIME,
            "text": TEXT,
            "advice": TEXT,
            "link": TEXT,
            "linkText": TEXT,
        }
    ),
    "FailedMails": obj(WHICH, **just_one_of(WHICH)),
    "MailFilter": closed({f"{name}?": schema for name, schema in FILTER.items()}),
}
ONE = path(mail_id=ID)
DROPPED = obj({"dropped": COUNT, "skipped": SKIPPED, "msg": TEXT})
STEERED = obj({**HEALTH, "msg": TEXT})

PATHS: Paths = {
    "/crm/email-queue": {
        "get": endpoint(
            "Mails, newest first",
            page_of(
                ref("Mail"),
                capped=FLAG,
                counts=obj({**{state.value: COUNT for state in State}, "sent_capped": FLAG}),
                groups=told(array(ref("ReasonGroup")), "of the failed ones"),
            ),
            parameters=query({**LISTED, "page": whole(COUNTED_UP_TO // PAGE_SIZE)}),
        )
    },
    "/crm/email-queue/status": {"get": endpoint("How many mails there are", ref("QueueStatus"))},
    "/crm/email-queue/health": {
        "get": endpoint("One sentence about the queue", ref("QueueHealth"))
    },
    "/crm/alerts": {
        "get": endpoint(
            "What is wrong with the installation; looked for once a minute",
            obj({"items": array(ref("Alert")), "timestamp": TIME}),
        )
    },
    "/crm/email-queue/mail/{mail_id}/timeline": {
        "get": endpoint(
            "Every attempt, with the mail server's words",
            obj({"mail": ref("Mail"), "items": array(ref("MailEvent"))}),
            parameters=ONE,
            errors=(404,),
        )
    },
    "/crm/email-queue/export.csv": {
        "get": endpoint("The same mails as a file", csv("A mail a row."), parameters=query(LISTED))
    },
    "/crm/email-queue/failed/retry": {
        "post": endpoint(
            "Send failed mails again",
            obj({"requeued": COUNT, "skipped": SKIPPED, "msg": TEXT}),
            body=json_body(ref("FailedMails")),
        )
    },
    "/crm/email-queue/failed/drop": {
        "post": endpoint("Drop failed mails", DROPPED, body=json_body(ref("FailedMails")))
    },
    "/crm/email-queue/failed/{mail_id}": {
        "patch": endpoint(
            "Correct the address, and send a new link",
            obj({"email": TEXT, "msg": TEXT}),
            parameters=ONE,
            body=json_body(obj({"email": text(500)})),
            errors=(404, 409, 422),
        ),
        "delete": endpoint("Drop one failed mail", DROPPED, parameters=ONE, errors=(404,)),
    },
    "/crm/email-queue/pause": {"post": endpoint("Pause the whole queue", STEERED)},
    "/crm/email-queue/resume": {"post": endpoint("Let the queue go on", STEERED)},
}
