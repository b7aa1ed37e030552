"""The whole description, put together of its areas (OpenAPI 3.1.0, https://spec.openapis.org/oas/v3.1.0)."""

from __future__ import annotations

from collections import Counter
from typing import Any

from flask import Flask
from werkzeug.routing import MapAdapter

from crmapp.accounts import rights
from crmapp.accounts.users import BACK_OFFICE, Role
from crmapp.openapi import (
    accounts,
    actions,
    email_queue,
    imports,
    jobs,
    journal,
    leads,
    office,
    people,
    sync,
)
from crmapp.openapi.parts import TEXT, Paths, obj, refusal

AREAS = {
    "Signing in and one's own account": accounts,
    "The office": office,
    "Leads": leads,
    "Actions on many leads": actions,
    "Imports": imports,
    "Jobs": jobs,
    "Journal and goals": journal,
    "Sync": sync,
    "E-mail queue": email_queue,
    "People and audit log": people,
}
# What a part of an address may be, where it may not be everything.
SAMPLES = {"{action}": "pause"}
STATUSES = (400, 401, 403, 404, 409, 410, 413, 415, 422, 429, 503)
ABOUT = """JSON is `{"success": true, "data": …}`, or `{"success": false, "msg": "…"}` with a fitting status and a
sentence that says what to do. Get a token from `POST /api/login`, or make one under /profile, and send it with every
call as `Authorization: Bearer`. A key of a query string or a body that is unknown is refused, and an empty value counts
as none. Every answer has an X-Request-ID, by which the log is searched."""


def document(app: Flask) -> dict[str, Any]:
    """The description of every JSON endpoint of `app`, with the roles that reach each."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "crmapp", "version": "1", "description": ABOUT},
        "security": [{"token": []}],
        "tags": [{"name": tag} for tag in AREAS],
        "paths": _paths(app),
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {
                "Failure": obj({"success": {"const": False}, "msg": TEXT, "requestId?": TEXT}),
                **{name: each for area in AREAS.values() for name, each in area.SCHEMAS.items()},
            },
            "responses": {str(code): refusal(code) for code in STATUSES},
        },
    }


def _paths(app: Flask) -> Paths:
    adapter = app.url_map.bind("localhost")
    paths: Paths = {}
    names = Counter[str]()
    for tag, area in AREAS.items():
        for path, methods in area.PATHS.items():
            for method, operation in methods.items():
                endpoint, action = endpoint_of(adapter, path, method)
                name = f"{endpoint}.{action}" if action else endpoint
                names[name] += 1
                number = f".{names[name]}" if names[name] > 1 else ""
                about = {"tags": [tag], "operationId": name + number}
                roles = {} if "security" in operation else {"x-roles": _roles(endpoint, action)}
                paths.setdefault(path, {})[method] = {**about, **roles, **operation}
    return paths


def endpoint_of(adapter: MapAdapter, path: str, method: str) -> tuple[str, str]:
    """The name of the route that answers at a described path, and the action of several that the path names. Raises
    werkzeug's NotFound and MethodNotAllowed."""
    parts = path.split("/")
    address = "/".join(SAMPLES.get(part, "x" * 24) if part[:1] == "{" else part for part in parts)
    endpoint, values = adapter.match(address, method=method.upper())
    return str(endpoint), next((value for value in values.values() if value in parts), "")


def _roles(endpoint: str, action: str) -> list[str]:
    if endpoint.startswith("profile."):
        return list(Role)
    reached = endpoint in rights.AGENTS_REACH
    agents = reached and (not action or action in rights.ACTIONS[Role.AGENT])
    return [*BACK_OFFICE, *([Role.AGENT] if agents else [])]
