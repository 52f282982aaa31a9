"""The OpenAPI document equals the server (D11)."""

import re
from typing import Any

import jsonschema_rs
import pytest
from pydantic import BaseModel
from sqlalchemy import Engine

from models.permissions import Role
from tests.support.rest import Rest
from web.rest.document import document
from web.rest.operations import OPERATIONS

METHODS = {"get", "post", "put", "patch", "delete"}


def documented() -> set[tuple[str, str]]:
    return {(address, method.upper()) for address, methods in document()["paths"].items() for method in methods}


def test_each_route_and_method_is_in_it_and_nothing_else(dash_app: Any) -> None:
    served = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method)
        for rule in dash_app.server.url_map.iter_rules()
        if rule.rule.startswith("/api/v1/")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert documented() == served


def test_no_other_version_is_served(dash_app: Any) -> None:
    versions = {
        found[1]
        for rule in dash_app.server.url_map.iter_rules()
        if (found := re.match(r"/api/([^/]+)/", rule.rule)) is not None
    }
    assert versions <= {"v1", "2.0", "3.0"}


def test_it_is_openapi_3_1_and_its_schemas_are_json_schema(dash_app: Any) -> None:
    told = document()
    assert told["openapi"] == "3.1.0"
    for name, schema in told["components"]["schemas"].items():
        assert jsonschema_rs.meta.is_valid(schema), name


WORDS = {
    *("type", "format", "enum", "const", "default", "description", "title", "pattern", "minLength", "maxLength"),
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "items", "prefixItems", "minItems", "maxItems"),
    *("uniqueItems", "properties", "required", "additionalProperties", "propertyNames", "minProperties"),
    *("maxProperties", "patternProperties", "anyOf", "oneOf", "allOf", "$ref", "examples", "discriminator"),
}


def words_of(schema: Any) -> set[str]:
    """The words of a schema and of those in it; names of fields are none."""
    if isinstance(schema, list):
        return set().union(*map(words_of, schema))
    if not isinstance(schema, dict):
        return set()
    found = set(schema)
    for word, inner in schema.items():
        if word in {"properties", "patternProperties"}:
            found |= set().union(*map(words_of, inner.values()))
        elif word not in {"default", "enum", "const", "examples", "required", "discriminator"}:
            found |= words_of(inner)
    return found


def test_its_schemas_use_no_word_that_json_schema_does_not_know(dash_app: Any) -> None:
    told = document()
    parameters = [
        one["schema"] for path in told["paths"].values() for its in path.values() for one in its.get("parameters", [])
    ]
    assert words_of([*told["components"]["schemas"].values(), *parameters]) - WORDS == set()


def test_each_reference_leads_somewhere(dash_app: Any) -> None:
    told = document()
    for reference in re.findall(r"'\$ref': '#/components/(\w+)/([^']+)'", repr(told)):
        assert reference[1] in told["components"][reference[0]], reference


def test_each_operation_has_a_name_of_its_own_and_says_what_it_does(dash_app: Any) -> None:
    names = [spec.name for spec in OPERATIONS]
    assert len(set(names)) == len(names)
    assert [spec.name for spec in OPERATIONS if not spec.summary] == []


def models_of(model: type[BaseModel], seen: set[type[BaseModel]]) -> None:
    if model in seen:
        return
    seen.add(model)
    for field in model.model_fields.values():
        for inner in re.findall(r"api\.v1\.[\w.]+", repr(field.annotation)):
            module, _, name = inner.rpartition(".")
            found = getattr(__import__(module, fromlist=[name]), name, None)
            if isinstance(found, type) and issubclass(found, BaseModel):
                models_of(found, seen)


@pytest.mark.parametrize("kind", ["body", "answer", "query"])
def test_what_is_sent_and_answered_has_no_other_fields_than_those_told(dash_app: Any, kind: str) -> None:
    models: set[type[BaseModel]] = set()
    for spec in OPERATIONS:
        if (model := getattr(spec, kind)) is not None and spec.name != "openapi":
            models_of(model, models)
    open_ones = [model.__name__ for model in models if model.model_config.get("extra") != "forbid"]
    assert models
    assert open_ones == []


def test_no_answer_has_a_field_for_a_secret(dash_app: Any) -> None:
    answers: set[type[BaseModel]] = set()
    for spec in OPERATIONS:
        if spec.answer is not None:
            models_of(spec.answer, answers)
    names = {(model.__name__, name) for model in answers for name in model.model_fields}
    told = {pair for pair in names if re.search(r"hash|secret|token|password|totp", pair[1])}
    # Of an architecture, by which equal ones are known; of the chain; and whether one has to be chosen.
    chain = {("LogEntry", "previous_hash"), ("LogEntry", "row_hash")}
    assert told == {("NASTrial", "architecture_hash"), ("Person", "must_choose_password"), *chain}


HOOK = {"name": "team", "provider_type": "slack", "webhook_url": "https://hooks.example.org/a", "enabled_events": []}
RULE = {"measure": "p95", "threshold": 250}


@pytest.mark.parametrize(
    ("model", "path", "body", "field", "right", "wrong"),
    [
        ("NewWebhook", "/webhooks", HOOK, "name", " a ", "\u2003 "),
        ("NewExperiment", "/experiments", {}, "name", "\u00a0é", "\u00a0"),
        ("NewWebhook", "/webhooks", HOOK, "enabled_events", ["model.deployed"], ["model.gone"]),
        ("NewAlertRule", "/alert-rules", RULE, "endpoint", "GET /api/v1/me", "/api/v1/me"),
        ("NewAlertRule", "/alert-rules", RULE, "endpoint", "  ", "GET "),
    ],
)
def test_it_tells_what_a_service_refuses(
    dash_app: Any, sqlite: Engine, model: str, path: str, body: dict[str, Any], field: str, right: Any, wrong: Any
) -> None:
    told = document()["components"]["schemas"][model]["properties"][field]
    assert jsonschema_rs.is_valid(told, right)
    assert not jsonschema_rs.is_valid(told, wrong)
    admin = Rest(dash_app.server, role=Role.ADMIN)
    assert admin.post(path, body | {field: right}).status_code == 201
    refused = admin.post(path, body | {field: wrong})
    assert (refused.status_code, refused.json["errors"][0]["field"].split("[")[0]) == (422, field)


def test_it_is_served_to_those_who_may_ask(lone_api: Rest) -> None:
    assert lone_api.get("/openapi.json").json == document()


def test_it_is_served_to_nobody_else(dash_app: Any, sqlite: Engine, client_of: Any) -> None:
    assert client_of(None).get("/api/v1/openapi.json").status_code == 401
    assert client_of("viewer").get("/api/v1/openapi.json").status_code == 200
