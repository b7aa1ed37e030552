"""What the description of an endpoint is made of: schemas, parameters, bodies and answers (OpenAPI 3.1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

Schema = dict[str, Any]
Operation = dict[str, Any]
# By path, then by method.
Paths = dict[str, dict[str, Operation]]

TEXT: Schema = {"type": "string"}
FLAG: Schema = {"type": "boolean"}
COUNT: Schema = {"type": "integer", "minimum": 0}
PERCENT: Schema = {"type": "integer", "minimum": 0, "maximum": 100}
NUMBER: Schema = {"type": "number"}
TIME: Schema = {"type": "string", "format": "date-time", "description": "ISO 8601 in UTC."}
DAY: Schema = {"type": "string", "format": "date"}
ID: Schema = {"type": "string", "pattern": "^[0-9a-fA-F]{24}$"}
ANYTHING: Schema = {}
PAGE: Schema = {"type": "integer", "minimum": 1}

# Every request may be answered so, besides what is said of it.
ALWAYS = (503,)
SIGNED_IN = (400, 401, 403)
WITH_BODY = (413, 415)


def ref(name: str) -> Schema:
    """The shared schema of that name."""
    return {"$ref": f"#/components/schemas/{name}"}


def obj(properties: Mapping[str, Schema], **more: Any) -> Schema:
    """An object. A name that ends with "?" may be missing."""
    named = {name.removesuffix("?"): schema for name, schema in properties.items()}
    required = [name for name in properties if not name.endswith("?")]
    needed = {"required": required} if required else {}
    return {"type": "object", "properties": named, **needed, **more}


def closed(properties: Mapping[str, Schema], **more: Any) -> Schema:
    """An object that may hold nothing else."""
    return obj(properties, additionalProperties=False, **more)


def by_name(values: Schema) -> Schema:
    """An object of any names, all of whose values are alike."""
    return {"type": "object", "additionalProperties": values}


def just_one_of(names: Iterable[str]) -> Schema:
    """For an object that must hold exactly one of these."""
    return {"oneOf": [{"required": [name.removesuffix("?")]} for name in names]}


def array(items: Schema, **more: Any) -> Schema:
    return {"type": "array", "items": items, **more}


def maybe(schema: Schema) -> Schema:
    """Or null."""
    if "enum" in schema or not isinstance(schema.get("type"), str):
        return {"anyOf": [schema, {"type": "null"}]}
    return {**schema, "type": [schema["type"], "null"]}


def text(most: int, **more: Any) -> Schema:
    """A text of that many characters at most."""
    return {"type": "string", "maxLength": most, **more}


def one_of(choices: Iterable[str]) -> Schema:
    return {"type": "string", "enum": [str(choice) for choice in choices]}


def whole(most: int, default: int | None = None) -> Schema:
    """A whole number from 1."""
    preset = {} if default is None else {"default": default}
    return {"type": "integer", "minimum": 1, "maximum": most, **preset}


def told(schema: Schema, words: str) -> Schema:
    return {**schema, "description": words}


def page_of(item: Schema, **more: Schema) -> Schema:
    """One page of a list; `more` is what else is told."""
    return obj({"items": array(item), "total": COUNT, "page": PAGE, "pages": PAGE} | more)


def query(parameters: Mapping[str, Schema]) -> list[Schema]:
    """Parameters of the query string."""
    return [{"name": name, "in": "query", "schema": schema} for name, schema in parameters.items()]


def path(**parameters: Schema) -> list[Schema]:
    """The parts of an address that vary."""
    return [
        {"name": name, "in": "path", "required": True, "schema": schema}
        for name, schema in parameters.items()
    ]


def header(name: str, words: str) -> Schema:
    return {"name": name, "in": "header", "description": words, "schema": TEXT}


def json_body(schema: Schema) -> Operation:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def file_body() -> Operation:
    file = obj({"file": {"type": "string", "contentMediaType": "application/octet-stream"}})
    return {"required": True, "content": {"multipart/form-data": {"schema": file}}}


def endpoint(
    summary: str,
    data: Schema | Operation,
    *,
    status: int = 200,
    parameters: Iterable[Schema] = (),
    body: Operation | None = None,
    errors: Iterable[int] = (),
    public: bool = False,
    words: str = "",
) -> Operation:
    """One endpoint. `data` is the schema of the answer's data, or an answer that is no JSON (see `csv`); `errors` are
    the refusals besides those that every endpoint has; a `public` one is for those who are not signed in too."""
    refused = {*ALWAYS, *errors, *(() if public else SIGNED_IN), *(WITH_BODY if body else ())}
    good = data if "content" in data else success(data)
    return {
        "summary": summary,
        **({"description": words} if words else {}),
        **({"security": []} if public else {}),
        **({"parameters": list(parameters)} if parameters else {}),
        **({"requestBody": body} if body else {}),
        "responses": {
            str(status): good,
            **{str(code): {"$ref": f"#/components/responses/{code}"} for code in sorted(refused)},
        },
    }


def success(data: Schema) -> Operation:
    schema = obj({"success": {"const": True}, "data": data})
    return {"description": "Done.", "content": {"application/json": {"schema": schema}}}


def csv(words: str) -> Operation:
    return _of_type("text/csv", words)


def events(words: str) -> Operation:
    return _of_type("text/event-stream", words)


def _of_type(media_type: str, words: str) -> Operation:
    return {"description": words, "content": {media_type: {"schema": TEXT}}}


def refusal(code: int) -> Operation:
    """The answer with that status."""
    content = {"application/json": {"schema": ref("Failure")}}
    again = {"Retry-After": {"schema": {"type": "integer"}}}
    headers = {"headers": again} if code in (429, 503) else {}
    return {"description": HTTPStatus(code).phrase, **headers, "content": content}
