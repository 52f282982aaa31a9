"""An operation of the API as the documentation shows it: folded to a line, and all of it when it is opened."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

from components.attributes import attributes
from components.feedback import skeleton
from components.icons import icon
from components.plain_table import plain_table

HEAD, BODY = "operation-head", "operation-body"
PLACES = {"path": "address", "query": "query", "header": "header"}


def operation(address: str, method: str, told: Mapping[str, Any], may: bool) -> Component:
    """One operation, folded; its body comes when it is opened for the first time."""
    name = str(told["operationId"])
    lock = (
        None
        if may
        else html.Span(icon("shield-lock", label="Your role does not allow this"), className="operation-lock")
    )
    head = html.Summary(
        [
            html.Span(method.upper(), className=f"operation-method operation-{method}"),
            html.Code(address, className="operation-path"),
            html.Span(str(told["summary"]), className="operation-words"),
            lock,
        ],
        className="operation-head",
        id={"type": HEAD, "operation": name},
    )
    waiting = html.Div(skeleton(), className="operation-body", id={"type": BODY, "operation": name})
    return html.Details([head, waiting], className="operation", id=f"operation-{name}")


def body(address: str, method: str, told: Mapping[str, Any], schemas: Mapping[str, Any]) -> list[Component | None]:
    """All that is said of an operation, and the form that tries it."""
    return [
        html.P(_plain(str(told["description"]))) if "description" in told else None,
        *_parameters(told["parameters"]),
        *_body(told, schemas),
        trial(address, method, told, schemas),
        *_answers(told, schemas),
    ]


def _plain(text: str) -> list[Component | str]:
    """What stands between backticks is code."""
    return [html.Code(part) if place % 2 else part for place, part in enumerate(text.split("`"))]


def _parameters(told: Sequence[Mapping[str, Any]]) -> Iterator[Component]:
    if not told:
        return
    rows = [
        (
            html.Span([html.Code(one["name"]), _needed(one["required"])]),
            PLACES[one["in"]],
            kind_of(one["schema"]),
            _meaning(one),
        )
        for one in told
    ]
    yield html.H3("Parameters")
    yield _table(("Name", "Where", "Kind"), rows, "Parameters")


def _table(headers: Sequence[str], rows: Sequence[tuple[Component | str, ...]], label: str) -> Component:
    """A table that ends with what things mean, unless all of them speak for themselves."""
    if any(row[-1] for row in rows):
        return plain_table((*headers, "Meaning"), rows, label=label)
    return plain_table(headers, [row[:-1] for row in rows], label=label)


def _meaning(told: Mapping[str, Any]) -> Component | str:
    words = told.get("description", "")
    return html.Span(_plain(words), className="cell-wrapped") if words else ""


def _needed(required: bool) -> Component | None:
    return html.Span("required", className="operation-needed") if required else None


def _body(told: Mapping[str, Any], schemas: Mapping[str, Any]) -> Iterator[Component]:
    if "requestBody" in told:
        schema = told["requestBody"]["content"]["application/json"]["schema"]
        yield html.H3("Body")
        yield _fields(resolved(schema, schemas), schemas, "Body")


def _answers(told: Mapping[str, Any], schemas: Mapping[str, Any]) -> Iterator[Component]:
    yield html.H3("Answers")
    for status, answer in told["responses"].items():
        content = answer.get("content", {})
        if int(status) < 300:
            forms = ", ".join(content) or "nothing"
            yield html.P([html.Strong(status), f" {answer['description']}: ", html.Span(forms)])
            schema = content.get("application/json", {}).get("schema")
            if schema is not None and "properties" in resolved(schema, schemas):
                yield _fields(resolved(schema, schemas), schemas, "Answer")
    refusals = [(status, answer["description"]) for status, answer in told["responses"].items() if int(status) >= 400]
    items = [html.Li([html.Strong(status), f" {words}"]) for status, words in refusals]
    yield html.Details([html.Summary("Refusals"), html.Ul(items)], className="operation-refusals")


def _fields(schema: Mapping[str, Any], schemas: Mapping[str, Any], label: str) -> Component:
    needed = schema.get("required", ())
    rows = []
    for name, one in schema.get("properties", {}).items():
        named = html.Span([html.Code(name), _needed(name in needed and label == "Body")])
        rows.append((named, kind_of(one), _meaning(one)))
        inner = resolved(one.get("items", {}), schemas) if one.get("type") == "array" else resolved(one, schemas)
        if inner is not one and "properties" in inner:
            prefix = f"{name}[]." if one.get("type") == "array" else f"{name}."
            rows += [
                (html.Span(html.Code(f"{prefix}{part}")), kind_of(said), _meaning(said))
                for part, said in inner["properties"].items()
            ]
    return _table(("Field", "Kind"), rows, label)


def resolved(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema behind a reference."""
    if "$ref" in schema:
        found: Mapping[str, Any] = schemas[schema["$ref"].rsplit("/", 1)[1]]
        return found
    return schema


def kind_of(schema: Mapping[str, Any]) -> str:
    """The kind of a value in a few words."""
    if "$ref" in schema:
        return "object"
    if "enum" in schema:
        return " · ".join(str(one) for one in schema["enum"])
    if "const" in schema:
        return str(schema["const"])
    if "anyOf" in schema:
        kinds = dict.fromkeys(kind_of(one) for one in schema["anyOf"])
        return " or ".join("nothing" if kind == "null" else kind for kind in kinds)
    kind = str(schema.get("type", "anything"))
    if kind == "array":
        return f"list of {kind_of(schema.get('items', {}))}"
    bounds = [f"{word} {schema[name]:,}" for name, word in (("minimum", "from"), ("maximum", "to")) if name in schema]
    limits = [" ".join(bounds)] if bounds else []
    if "maxLength" in schema:
        limits.append(f"at most {schema['maxLength']:,} characters")
    if schema.get("format") in {"date-time", "date"}:
        kind = "time" if schema["format"] == "date-time" else "day"
    return ", ".join([{"integer": "whole number", "string": "text"}.get(kind, kind), *limits])


def trial(address: str, method: str, told: Mapping[str, Any], schemas: Mapping[str, Any]) -> Component:
    """The form with which a reader tries it as themselves."""
    name = str(told["operationId"])
    if told.get("security") == [{"key": []}]:
        return html.P("This is for programs with a key; a browser that is signed in has none.")
    fields = [
        html.Div(
            [
                html.Label(one["name"], htmlFor=f"try-{name}-{one['name']}", className="form-label"),
                _input(f"try-{name}-{one['name']}", one["in"], "*" if one["name"] == "If-Match" else "", one["name"]),
            ],
            className="operation-field",
        )
        for one in told["parameters"]
    ]
    if "requestBody" in told:
        schema = resolved(told["requestBody"]["content"]["application/json"]["schema"], schemas)
        fields.append(
            html.Div(
                [
                    html.Label("Body", htmlFor=f"try-{name}-body", className="form-label"),
                    html.Div(
                        **attributes(
                            {"data-input": f"try-{name}-body", "data-in": "body", "data-value": _sample(schema)}
                        )
                    ),
                ],
                className="operation-field operation-field-wide",
            )
        )
    button = html.Button("Send", type="button", className="btn btn-sm btn-primary operation-send")
    hint = html.Span("As you, with what your role may do.", className="section-hint")
    return html.Div(
        [
            html.H3("Try it"),
            html.Div(fields, className="operation-fields") if fields else None,
            html.Div([button, hint], className="operation-sending"),
            html.Div(className="operation-answer", role="status"),
        ],
        className="operation-trial",
        **attributes({"data-method": method.upper(), "data-address": address}),
    )


def _input(number: str, place: str, value: str, name: str = "") -> Component:
    """Where a script of ours puts a plain input when the operation is opened."""
    return html.Div(**attributes({"data-input": number, "data-in": place, "data-value": value, "data-name": name}))


def _sample(schema: Mapping[str, Any]) -> str:
    lines = [
        f'  "{name}": {_value(one)}'
        for name, one in schema.get("properties", {}).items()
        if name in schema.get("required", ())
    ]
    return "{\n" + ",\n".join(lines) + "\n}" if lines else "{}"


def _value(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return f'"{schema["enum"][0]}"'
    return {"string": '""', "array": "[]", "object": "{}"}.get(str(schema.get("type")), "1")
