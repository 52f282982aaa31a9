"""The OpenAPI 3.1 document, made of what the operations declare; what is not declared is neither run nor documented."""

import re
from collections.abc import Sequence
from functools import lru_cache
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from web.rest import asked
from web.rest.answers import CSV
from web.rest.operations import OPERATIONS, Operation
from web.rest.parquet import PARQUET

REFERENCE = "#/components/schemas/{model}"
_PARAMETER = re.compile(r"<(?:(\w+):)?(\w+)>")
_KINDS: dict[str, dict[str, Any]] = {
    "int": {"type": "integer", "minimum": 0},
    "path": {"type": "string", "minLength": 1, "maxLength": 250},
    "string": {"type": "string", "minLength": 1, "maxLength": 250},
}
# In the order in which they are told.
GROUPS = (
    *("home", "experiments", "metrics", "stream", "comparison", "datasets", "campaigns", "explanations"),
    *("saved searches", "webhooks", "your account", "your profile", "your sessions", "your access", "your data"),
    *("users", "roles", "all keys", "api metrics", "request log", "alert rules", "alert events"),
    *("admin", "health", "about"),
)
_ALWAYS = (400, 401, 403, 429, 503)
_SAID = {
    400: "The request cannot be read: a body that is no JSON, or a key in the address",
    401: "No key that works, and nobody signed in",
    403: "Refused: a scope is missing, or what is asked for belongs to somebody else",
    404: "There is no such thing, or not for you",
    406: "The answer has no such form",
    409: "It does not go together with what is there",
    412: "It was changed since the state that If-Match names",
    413: "The body is too large",
    414: "The address is longer than 8,190 bytes",
    415: "The body has another form than JSON",
    422: "Something in the request cannot be accepted; `errors` names each place",
    428: "If-Match is missing",
    429: "The limit is reached; `Retry-After` says for how long",
    503: "The database does not answer at the moment",
    507: "The disk is full",
}


class Fault(BaseModel):
    """One thing that cannot be accepted."""

    field: str = Field(description="Where it was sent: a name in the body or the address, such as “points[3].value”.")
    detail: str


class Problem(BaseModel):
    """A refusal, as RFC 9457 writes it."""

    model_config = ConfigDict(
        extra="allow", json_schema_extra={"required": ["type", "title", "status", "detail", "instance"]}
    )

    type: str
    title: str
    status: int
    detail: str = Field(description="A sentence for people.")
    instance: str = Field(description="The id of the request, by which the server's log tells more.")
    code: str | None = Field(None, description="A word for programs.")
    errors: list[Fault] = Field(default_factory=list)


@lru_cache(maxsize=1)
def document() -> dict[str, Any]:
    """The whole of it."""
    paths: dict[str, dict[str, Any]] = {}
    specs = sorted(OPERATIONS, key=lambda spec: GROUPS.index(spec.group))
    for spec in specs:
        paths.setdefault(address_of(spec), {})[spec.method.lower()] = _operation(spec)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "PFD",
            "version": version("pfd-dashboard"),
            "description": (
                "What the pages of PFD show and most of what they do, with the same permissions. Lists come a page "
                "at a time: `next` is the `cursor` of the following page. Times are UTC."
            ),
        },
        "servers": [{"url": "/"}],
        "security": [{"key": []}, {"session": []}],
        "tags": [{"name": name} for name in GROUPS],
        "paths": paths,
        "components": {"schemas": _schemas(), "securitySchemes": _SCHEMES, "headers": _HEADERS},
    }


_SCHEMES = {
    "key": {"type": "http", "scheme": "bearer", "description": "An API key, made under Account → API keys."},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "sid",
        "description": "A browser that is signed in. What it writes carries the page's token in X-CSRFToken.",
    },
}
_HEADERS = {
    "ETag": {"description": "The state that If-Match names.", "schema": {"type": "string"}},
    "Link": {"description": "The address of the next page, with rel=next.", "schema": {"type": "string"}},
    "Location": {"description": "Where the new thing is.", "schema": {"type": "string"}},
}


def address_of(spec: Operation) -> str:
    """The path as OpenAPI writes it."""
    return _PARAMETER.sub(r"{\2}", spec.path)


def _models() -> list[tuple[type[BaseModel], Any]]:
    found: dict[tuple[type[BaseModel], str], None] = {(Problem, "serialization"): None}
    for spec in OPERATIONS:
        if spec.body is not None:
            found[spec.body, "validation"] = None
        if spec.answer is not None:
            found[spec.answer, "serialization"] = None
    return list(found)


class _Schemas(GenerateJsonSchema):
    """Without titles that only repeat the name of a field."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


@lru_cache(maxsize=1)
def _generated() -> tuple[dict[Any, Any], dict[str, Any]]:
    named, whole = models_json_schema(_models(), ref_template=REFERENCE, schema_generator=_Schemas)
    return named, whole.get("$defs", {})


def _schemas() -> dict[str, Any]:
    return dict(sorted(_generated()[1].items()))


def _reference(model: type[BaseModel], mode: str) -> dict[str, Any]:
    return dict(_generated()[0][model, mode])


def _operation(spec: Operation) -> dict[str, Any]:
    told: dict[str, Any] = {
        "operationId": spec.name,
        "summary": spec.summary,
        "tags": [spec.group],
        "parameters": list(_parameters(spec)),
        "responses": {str(spec.status): _answer(spec), **{str(status): _refusal(status) for status in statuses(spec)}},
    }
    words = [spec.description] if spec.description else []
    if spec.permission is not None:
        words.append(f"Needs the scope `{spec.permission.value}`.")
        told["x-permission"] = spec.permission.value
    if words:
        told["description"] = " ".join(words)
    if spec.keys_only:
        told["security"] = [{"key": []}]
    if spec.body is not None:
        told["requestBody"] = {
            "required": True,
            "content": {asked.JSON: {"schema": _reference(spec.body, "validation")}},
        }
    return told


def statuses(spec: Operation) -> list[int]:
    """The statuses of its refusals."""
    found = {*_ALWAYS, *spec.refusals, 422}
    if "<" in spec.path:
        found.add(404)
    if spec.body is not None:
        found |= {413, 415}
    if spec.query is not None:
        found.add(414)
    if spec.writes:
        found.add(507)
    if len(spec.forms) > 1 or spec.answer is not None:
        found.add(406)
    if spec.conditional:
        found |= {412, 428}
    return sorted(found)


def _parameters(spec: Operation) -> Sequence[dict[str, Any]]:
    told: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": dict(_KINDS[kind or "string"])}
        for kind, name in _PARAMETER.findall(spec.path)
    ]
    if spec.query is not None:
        schema = spec.query.model_json_schema(ref_template=REFERENCE, schema_generator=_Schemas)
        needed = schema.get("required", [])
        for name, of_one in schema["properties"].items():
            of_one = _without_null(dict(of_one))
            described = of_one.pop("description", None)
            one = {"name": name, "in": "query", "required": name in needed, "schema": of_one}
            told.append(one | ({"description": described} if described else {}))
    if spec.conditional:
        words = "The ETag with which the present state was read, or *."
        told.append(_header("If-Match", words, required=True, minLength=1))
    if spec.streams:
        told.append(_header("Last-Event-ID", "The id of the last event that came.", required=False))
    if spec.method == "POST":
        told.append(
            _header(
                "Idempotency-Key",
                "A word of your own: the same request under the same word is done once and answered alike.",
                required=False,
                pattern='^[ \\t]*"?[!#-\\[\\]-~]{1,255}"?[ \\t]*$',
            )
        )
    return told


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """In an address nothing is null: what is not given is left out."""
    if "anyOf" in schema:
        others = [one for one in schema["anyOf"] if one.get("type") != "null"]
        rest = {name: value for name, value in schema.items() if name != "anyOf"}
        schema = {**others[0], **rest} if len(others) == 1 else {"anyOf": others, **rest}
    if schema.get("default", 0) is None:
        schema.pop("default")
    return schema


def _header(name: str, description: str, *, required: bool, **schema: Any) -> dict[str, Any]:
    return {
        "name": name,
        "in": "header",
        "required": required,
        "description": description,
        "schema": {"type": "string", **schema},
    }


def _answer(spec: Operation) -> dict[str, Any]:
    told: dict[str, Any] = {"description": HTTPStatus(spec.status).phrase}
    names = [*(["ETag"] if spec.tagged else []), *(["Location"] if spec.status == 201 else [])]
    if spec.table is not None:
        names.append("Link")
    if names:
        told["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
    if spec.streams:
        # Whether a schema means the whole of it or one event, OpenAPI says only from 3.2 on.
        told["content"] = {"text/event-stream": {"schema": {}}}
    elif spec.answer is not None:
        told["content"] = {asked.JSON: {"schema": _reference(spec.answer, "serialization")}}
        if spec.table is not None:
            told["content"][CSV] = {"schema": {"type": "string"}}
            told["content"][PARQUET] = {"schema": {"type": "string", "format": "binary"}}
    return told


def _refusal(status: int) -> dict[str, Any]:
    if status == 414:  # gunicorn refuses it before anything of ours hears of it
        return {"description": _SAID[status], "content": {"text/html": {"schema": {"type": "string"}}}}
    return {
        "description": _SAID[status],
        "content": {"application/problem+json": {"schema": _reference(Problem, "serialization")}},
    }
