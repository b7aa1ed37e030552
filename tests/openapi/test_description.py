"""The description against the application: every route is in it, and nothing else is."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from crmapp.accounts.users import Role
from crmapp.openapi.describe import document
from tests.test_rights import TABLE

# Why a route is not described: by its method and rule.
FORM = "the form of a page, whose JSON twin is described"
PAGE = "a page and nothing else"
BY_MAIL = "reached by a link of an e-mail, or on the way to one"
NOT_DESCRIBED = {
    "GET /": PAGE,
    "GET /login": PAGE,
    "POST /login": FORM,
    "POST /logout": PAGE,
    "GET /welcome": PAGE,
    "GET /local/mail": PAGE,
    "GET /local/mail/<key>": PAGE,
    "GET /crm/leads/new": PAGE,
    "GET /crm/journal/new": PAGE,
    "GET /crm/goals/new": PAGE,
    "GET /invitation/<token>": BY_MAIL,
    "POST /invitation/<token>": BY_MAIL,
    "POST /invitation/<token>/renew": BY_MAIL,
    "GET /forgot": BY_MAIL,
    "POST /forgot": BY_MAIL,
    "GET /password/<token>": BY_MAIL,
    "POST /password/<token>": BY_MAIL,
    "GET /static/<path:filename>": "files",
    "GET /bootstrap/static/<path:filename>": "files",
    "GET /metrics": "for Prometheus, in its format and behind a token of its own",
    "POST /profile": FORM,
    "POST /profile/sessions/<session_id>/end": FORM,
    "POST /profile/tokens/<token_id>/revoke": FORM,
    "POST /crm/leads/new": FORM,
    "POST /crm/leads/<string(length=24):lead_id>": FORM,
    "POST /crm/leads/<string(length=24):lead_id>/delete": FORM,
    "POST /crm/journal/<entry_id>": FORM,
    "POST /crm/journal/<entry_id>/delete": FORM,
    "POST /crm/goals/<goal_id>": FORM,
    "POST /crm/goals/<goal_id>/delete": FORM,
}


@pytest.fixture
def site(new_site):
    """With the pages of the mail catcher."""
    return new_site(MAIL_SERVER="", MAIL_PORT="")


@pytest.fixture
def described(site) -> dict[str, Any]:
    with site.app_context():
        return json.loads(json.dumps(document(site)))


def operations(described):
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def rule_of(adapter, method, path):
    sample = re.sub(r"{\w+}", "x" * 24, path.replace("{action}", "pause"))
    rule, _ = adapter.match(sample, method=method.upper(), return_rule=True)
    return f"{method.upper()} {rule.rule}"


def test_every_route_is_described_or_has_a_reason_not_to_be(site, described):
    adapter = site.url_map.bind("localhost")
    found = {rule_of(adapter, method, path) for method, path, _ in operations(described)}
    there = {
        f"{method} {rule.rule}"
        for rule in site.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    assert there - found - NOT_DESCRIBED.keys() == set(), "neither described nor left out"
    assert NOT_DESCRIBED.keys() - there == set(), "left out, and gone"
    assert found & NOT_DESCRIBED.keys() == set(), "described and left out"


def test_every_operation_is_whole(described):
    names = [operation["operationId"] for _, _, operation in operations(described)]
    assert len(set(names)) == len(names)
    for method, path, operation in operations(described):
        where = f"{method} {path}"
        assert operation["summary"], where
        in_path = {p["name"] for p in operation.get("parameters", ()) if p["in"] == "path"}
        assert in_path == set(re.findall(r"{(\w+)}", path)), where
        assert operation.get("security") == [] or operation["x-roles"], where


def test_every_reference_leads_somewhere_and_every_shared_schema_is_used(described):
    refs = set(re.findall(r'"\$ref": "#/components/(\w+/\w+)"', json.dumps(described)))
    shared = {f"schemas/{name}" for name in described["components"]["schemas"]}
    assert refs >= shared
    assert refs <= shared | {f"responses/{code}" for code in described["components"]["responses"]}


def test_it_says_who_reaches_what(site, described):
    """As the table says against which every route is tested."""
    adapter = site.url_map.bind("localhost")
    office = {Role.SUPERADMIN, Role.ADMIN}
    expected = {"open": set(), "everybody": set(Role), "agents": {*office, Role.AGENT}}
    for method, path, operation in operations(described):
        audience, _ = TABLE[rule_of(adapter, method, path)]
        roles = set(operation.get("x-roles", ()))
        if path.startswith(("/crm/leads/bulk/assign", "/crm/leads/bulk/delete")):
            assert roles == office, path  # the route is for agents, but not to do this
        else:
            assert roles == expected.get(audience, office), f"{method} {path}"


def test_who_is_signed_in_reads_it(api, visitor):
    answer = api.get("/api/openapi.json")
    assert answer.status_code == 200
    assert answer.json["openapi"] == "3.1.0"
    assert "/crm/leads" in answer.json["paths"]
    refused = visitor.get_json("/api/openapi.json")
    assert refused.status_code == 401
    assert "sign in" in refused.json["msg"]
