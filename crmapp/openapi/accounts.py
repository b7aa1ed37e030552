"""Signing in, and one's own account."""

from __future__ import annotations

from crmapp.accounts.api_tokens import MOST_DAYS
from crmapp.accounts.users import Role
from crmapp.openapi.parts import (
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
    path,
    ref,
    text,
    told,
    whole,
)
from crmapp.profile.account import LONGEST_NAME

MSG = obj({"msg": TEXT})
SIGNED_IN_ANEW = obj({"msg": TEXT, "token?": told(TEXT, "A program's new token.")})
TOKEN = {
    "id": ID,
    "name": TEXT,
    "start": told(TEXT, "Its first characters."),
    "createdAt": TIME,
    "expiresAt": TIME,
    "lastUsedAt": maybe(TIME),
    "lastAddress": maybe(TEXT),
    "expired": FLAG,
}

SCHEMAS: dict[str, Schema] = {
    "Me": obj({"id": ID, "name": TEXT, "email": TEXT, "role": one_of(Role)}),
    "Session": obj(
        {
            "id": TEXT,
            "kind": one_of(("browser", "program")),
            "address": maybe(TEXT),
            "createdAt": TIME,
            "lastSeenAt": TIME,
            "program": told(TEXT, "The browser, in words."),
            "isThis": FLAG,
        }
    ),
    "ApiToken": obj(TOKEN),
}

PATHS: Paths = {
    "/api/login": {
        "post": endpoint(
            "Sign in",
            obj({"token": TEXT, "user": ref("Me")}),
            body=json_body(obj({"email": text(500), "password": text(500)})),
            errors=(400, 401, 429),
            public=True,
            words="The token is valid for 12 hours.",
        )
    },
    "/profile": {
        "get": endpoint(
            "Who I am, where I am signed in, and my tokens",
            obj(
                {
                    "user": ref("Me"),
                    "sessions": array(ref("Session")),
                    "tokens": array(ref("ApiToken")),
                }
            ),
            words="An API token reaches nothing below /profile: sign in with the password.",
        ),
        "patch": endpoint(
            "Change one's name",
            MSG,
            body=json_body(closed({"name": text(LONGEST_NAME, minLength=1)})),
            errors=(422,),
        ),
    },
    "/profile/password": {
        "post": endpoint(
            "Change one's password",
            SIGNED_IN_ANEW,
            body=json_body(
                closed(
                    {
                        "password": told(text(500), "The present one."),
                        "newPassword": text(500),
                        "newPasswordAgain": text(500),
                    }
                )
            ),
            errors=(422, 429),
            words="Every session ends, also the one that asks: a program goes on with the new token.",
        )
    },
    "/profile/sessions/{session_id}": {
        "delete": endpoint("End one session", MSG, parameters=path(session_id=TEXT), errors=(404,))
    },
    "/profile/sessions/end-others": {
        "post": endpoint(
            "Sign out everywhere else",
            SIGNED_IN_ANEW,
            words="Every session ends, also the one that asks: a program goes on with the new token.",
        )
    },
    "/profile/tokens": {
        "post": endpoint(
            "Make an API token",
            obj({"token": told(TEXT, "The token, told this once."), **TOKEN}),
            status=201,
            body=json_body(closed({"name": text(100, minLength=1), "days?": whole(MOST_DAYS, 90)})),
            errors=(409, 422),
        )
    },
    "/profile/tokens/{token_id}": {
        "delete": endpoint("Revoke a token", MSG, parameters=path(token_id=ID), errors=(404,))
    },
}
