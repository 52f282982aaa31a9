"""What MLflow's client sends and is sent: JSON objects."""

from typing import Any

import orjson
from flask import Response, request

from services.tracking.errors import TrackingError

PREFIX = "/api/2.0/mlflow"


class NotUnderstood(TrackingError):
    """The body is not what this protocol sends."""

    code = "BAD_REQUEST"


def body() -> dict[str, Any]:
    """The object of a request; what it holds is checked by whoever takes it."""
    data = request.get_data()
    if not data:
        return {}
    if not request.is_json:
        raise NotUnderstood("Bad Request. Content-Type header must be 'application/json'.")
    try:
        found = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise NotUnderstood(f"The body is no JSON: {error.msg} at character {error.pos}.") from error
    if not isinstance(found, dict):
        raise NotUnderstood("The body is no JSON object.")
    return found


def asked(name: str) -> str | None:
    """A value from the address."""
    return request.args.get(name)


def answer(told: dict[str, Any]) -> Response:
    """The answer to a request that went well."""
    return Response(orjson.dumps(told), mimetype="application/json")


def run_id(given: dict[str, Any]) -> Any:
    """The run of a request; old clients call it run_uuid."""
    return given.get("run_id") or given.get("run_uuid")


def run_in_address() -> str | None:
    """The same in an address."""
    return asked("run_id") or asked("run_uuid")
