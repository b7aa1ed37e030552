"""What the application answers, to requests made out of its description: never a fault, and what it describes."""

from __future__ import annotations

import json
import os
from typing import Any

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck
from hypothesis.strategies import booleans, just
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core import NOT_SET
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from crmapp.accounts.users import Role
from crmapp.openapi.describe import document
from crmapp.openapi.parts import TEXT
from tests.openapi import office

MANY = bool(os.environ.get("CHAOS"))
CASES = 50 if MANY else 3  # of each operation, in each mode
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
# What takes other things with it.
LAST = (
    "POST /profile/password",
    "POST /profile/sessions/end-others",
    "DELETE /crm/leads/{lead_id}",
)
WITHOUT_END = ("/stream", "/crm/activation/stream/{session_id}")


@pytest.fixture
def described(site) -> dict[str, Any]:
    with site.app_context():
        return exact(json.loads(json.dumps(document(site))))


def exact(described: dict[str, Any]) -> dict[str, Any]:
    """Answers hold what is described and nothing else, so that nothing is forgotten in the description."""
    close(described["components"]["schemas"])
    for methods in described["paths"].values():
        for operation in methods.values():
            close(operation["responses"])
    return described


def close(part: Any) -> None:
    if isinstance(part, dict):
        if part.get("type") == "object" and "properties" in part:
            part.setdefault("additionalProperties", False)
        for each in part.values():
            close(each)
    elif isinstance(part, list):
        for each in part:
            close(each)


@pytest.fixture
def schema(described):
    config = schemathesis.Config()
    # Who is not signed in is turned away by other tests.
    config.projects.default.generation.update(with_security_parameters=False)
    return schemathesis.openapi.from_dict(described, config=config)


@pytest.fixture
def ask(db, site, new_person, new_leads):
    """Send a case as a superadmin, who reaches everything, of an office that has everything: about what is there,
    or about anything."""
    boss = new_person("boss@example.com", Role.SUPERADMIN)
    real = office.fill(db, site, boss, new_leads(4))

    def asked(case: Case, about_real: bool) -> Any:
        if about_real:
            for name in case.path_parameters or {}:
                case.path_parameters[name] = of_path(case.path, name) or case.path_parameters[name]
            if isinstance(case.body, dict):
                ids = {name: real[name] for name in case.body.keys() & real.keys()}
                case.body = {**case.body, **ids}
        headers = {"Accept": "application/json", **office.sign_in(db, site, boss)}
        return case.call(app=site, base_url="http://localhost", headers=headers)

    def of_path(path: str, name: str) -> str | None:
        return real.get(office.ELSEWHERE.get((path, name), name))

    return asked


def cases_of(operation: Any, mode: GenerationMode, check: Any) -> None:
    @hypothesis.settings(
        max_examples=CASES,
        deadline=None,
        database=None,
        derandomize=not MANY,
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(
        operation.as_strategy(generation_mode=mode),
        just(True) if mode is GenerationMode.POSITIVE and not MANY else booleans(),
    )
    def each(case: Case, about_real: bool) -> None:
        check(case, about_real)

    each()


def test_what_is_there_is_answered(schema, ask):
    wrong: dict[str, str] = {}
    for operation in in_order(schema):
        if operation.label in office.REFUSED:
            continue
        body = office.BODIES.get(operation.label, NOT_SET)
        names = [parameter.name for parameter in operation.path_parameters]
        parts = {name: office.SAMPLES.get(name, "") for name in names}
        media_type = "multipart/form-data" if isinstance(body, dict) and "file" in body else None
        case = operation.Case(path_parameters=parts, body=body, media_type=media_type)
        answer = ask(case, about_real=True)
        try:
            assert answer.status_code < 300, answer.text
            case.validate_response(answer, checks=CHECKS)
        except (Exception, FailureGroup) as error:
            wrong[operation.label] = f"{type(error).__name__}: {error}"
    assert not wrong, "\n\n".join(f"{label}\n{text}" for label, text in wrong.items())


@pytest.mark.parametrize("mode", GenerationMode, ids=lambda mode: mode.value)
def test_it_answers_as_it_is_described(schema, ask, mode):
    wrong: dict[str, str] = {}

    def check(case: Case, about_real: bool) -> None:
        answer = ask(case, about_real)
        assert answer.status_code != 401 or case.path == "/api/login"
        case.validate_response(answer, checks=CHECKS)

    for operation in in_order(schema):
        if mode is GenerationMode.NEGATIVE and not can_be_wrong(operation):
            continue
        try:
            cases_of(operation, mode, check)
        except (Exception, FailureGroup) as error:
            wrong[operation.label] = f"{type(error).__name__}: {error}"
    assert not wrong, "\n\n".join(f"{label}\n{text}" for label, text in wrong.items())


def in_order(schema: Any) -> list[Any]:
    """What ends or deletes something comes last."""
    every = [found.ok() for found in schema.get_all_operations()]
    finite = [operation for operation in every if operation.path not in WITHOUT_END]
    return sorted(finite, key=lambda one: (one.label in LAST, one.method.upper() == "DELETE"))


def can_be_wrong(operation: Any) -> bool:
    """Whether there is a form for what is sent with it, other than any text."""
    schemas = [part.definition["schema"] for part in operation.iter_parameters()]
    return bool(operation.body) or any(schema != TEXT for schema in schemas)
