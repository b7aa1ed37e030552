"""Leads: the list, one lead, frozen sets, kept filters, the export."""

from __future__ import annotations

from crmapp.forms import EARLIEST
from crmapp.leads import fields, listing, sorting
from crmapp.leads.filters import ACCOUNT, NOBODY
from crmapp.leads.leads import LeadStatus
from crmapp.leads.saved import LONGEST_NAME
from crmapp.leads.selections import MOST_IDS
from crmapp.openapi.parts import (
    ANYTHING,
    COUNT,
    DAY,
    FLAG,
    ID,
    PAGE,
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
from crmapp.paging import COUNTED_UP_TO

SORT = told(
    one_of(sign + name for name in sorting.ORDERS for sign in ("", "-")),
    f"With - before it for descending; {sorting.DEFAULT} by default.",
)
AGENT = {"anyOf": [ID, {"const": NOBODY}]}
FILTER: dict[str, Schema] = {
    "status": one_of(LeadStatus),
    "q": told(text(200), "Each word begins a word of name, address, phone number or company."),
    "source": text(200),
    "agent": told(AGENT, "The id of a user, or none."),
    "company": text(200),
    "tag": text(200),
    **dict.fromkeys(("from", "to", "activatedFrom", "activatedTo"), DAY),
    "account": one_of(ACCOUNT),
}
TAGS = array(text(fields.LONGEST_TAG), maxItems=fields.MOST_TAGS)
# What an administrator, or an agent but for `agentId`, gives a lead.
GIVEN: dict[str, Schema] = {
    **{f"{name}?": text(most) for name, most in fields.LONGEST.items()},
    "email?": text(500),
    "status?": one_of(fields.STAGES),
    "tags?": TAGS,
    "agentId?": maybe(ID),
    "updatedAt?": told(TIME, f"Of the version that is changed; not before {EARLIEST.year}."),
}
SHOWN: dict[str, Schema] = {
    "_id": ID,
    **dict.fromkeys(("name", "email", "phone", "company", "source", "notes", "status"), TEXT),
    "tags": array(TEXT),
    "agentId": maybe(ID),
    **{name: maybe(TIME) for name in ("createdAt", "updatedAt", "activatedAt")},
    "activationId": maybe(TEXT),
    "importId": maybe(TEXT),
    "createdBy": maybe(TEXT),
}

# Exactly one of these says which leads are meant.
SET: dict[str, Schema] = {
    "leadIds?": array(ID, minItems=1, maxItems=MOST_IDS),
    "filter?": ref("LeadFilter"),
    "selectionId?": text(100),
}

SCHEMAS: dict[str, Schema] = {
    "LeadFilter": closed({f"{name}?": schema for name, schema in FILTER.items()}),
    "LeadSet": obj(SET, **just_one_of(SET)),
    "ListedLead": told(
        obj({"_id": ID}, additionalProperties=True),
        "A lead as it is stored: the fields of `Lead`, as far as whatever wrote it has given them.",
    ),
    "Lead": obj(SHOWN),
    "TimelineEntry": told(
        obj({"type": TEXT, "at": maybe(TIME), "by": maybe(TEXT)}, additionalProperties=True),
        "What else is told depends on its type.",
    ),
    "SavedFilter": obj({"id": ID, "name": TEXT, "query": by_name(TEXT), "url": TEXT}),
}

ONE = path(lead_id=ID)
LEAD_PAGE = obj(
    {
        "lead": ref("Lead"),
        "user": maybe(
            obj(
                {
                    "id": ID,
                    "name": maybe(TEXT),
                    "email": maybe(TEXT),
                    "status": maybe(TEXT),
                    **{n: maybe(TIME) for n in ("createdAt", "lastSeenAt", "firstSignInAt")},
                }
            )
        ),
        "timeline": array(ref("TimelineEntry")),
        "more": told(FLAG, "whether the timeline is longer"),
        "journal": obj({"items": array(ref("JournalEntry")), "total": COUNT}),
        "goals": obj({"items": array(ref("Goal")), "total": COUNT}),
    }
)

LEADS = page_of(
    ref("ListedLead"),
    capped=FLAG,
    page=maybe(PAGE),
    next=maybe(TEXT),
    prev=maybe(TEXT),
)

PATHS: Paths = {
    "/crm/leads": {
        "get": endpoint(
            "The list of leads",
            {
                **LEADS,
                "description": "`total` is counted up to 10,000; `capped` says that there are more. `page` is null "
                "where a place was asked for.",
            },
            parameters=query(
                {
                    **FILTER,
                    "sort": SORT,
                    "pageSize": whole(max(listing.PAGE_SIZES), listing.PAGE_SIZE),
                    "page": whole(COUNTED_UP_TO),
                    "after": told(text(2000), "The `next` of another page."),
                    "before": told(text(2000), "The `prev` of another page."),
                    "last": told({"const": "1"}, "The last page."),
                }
            ),
            words="Only one of page, after, before and last.",
        ),
        "post": endpoint(
            "Add a lead", ref("Lead"), status=201, body=json_body(closed(GIVEN)), errors=(422,)
        ),
    },
    "/crm/leads/{lead_id}": {
        "get": endpoint("A lead, and what belongs to it", LEAD_PAGE, parameters=ONE, errors=(404,)),
        "patch": endpoint(
            "Change a lead",
            ref("Lead"),
            parameters=ONE,
            body=json_body(closed(GIVEN)),
            errors=(404, 409, 422),
            words="409 where somebody else has changed it since `updatedAt`.",
        ),
        "delete": endpoint("Delete a lead", ref("Lead"), parameters=ONE, errors=(404, 409, 422)),
    },
    "/crm/leads/companies": {
        "get": endpoint(
            "Companies that begin with these letters",
            obj({"items": array(TEXT, maxItems=listing.MOST_SUGGESTED)}),
            parameters=query({"q": text(200)}),
        )
    },
    "/crm/leads/selections": {
        "post": endpoint(
            "Freeze a set of leads",
            obj({"selectionId": TEXT, "total": PAGE}),
            status=201,
            body=json_body(ref("LeadSet")),
            errors=(410, 422),
            words="Kept for an hour.",
        )
    },
    "/crm/leads/filters": {
        "get": endpoint("The filters that I keep", obj({"items": array(ref("SavedFilter"))})),
        "post": endpoint(
            "Keep a filter",
            ref("SavedFilter"),
            status=201,
            body=json_body(
                obj(
                    {
                        "name": text(LONGEST_NAME, minLength=1),
                        "query": closed(
                            {
                                **{f"{name}?": schema for name, schema in FILTER.items()},
                                "sort?": SORT,
                                "pageSize?": ANYTHING,
                            }
                        ),
                    }
                )
            ),
            errors=(409,),
        ),
    },
    "/crm/leads/filters/{filter_id}": {
        "delete": endpoint(
            "Forget a filter", obj({"id": TEXT}), parameters=path(filter_id=ID), errors=(404,)
        )
    },
    "/crm/leads/export.csv": {
        "get": endpoint(
            "Every field of every lead that matches",
            csv("A CSV file that can be imported again."),
            parameters=query({**FILTER, "sort": SORT, "selectionId": text(100)}),
            errors=(410,),
            words="Either selectionId or a filter.",
        )
    },
}
