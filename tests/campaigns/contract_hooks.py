"""What schemathesis cannot know of a request that the document allows: which values go together with what is there."""

import uuid
from typing import Any

import requests
import schemathesis
from schemathesis import Case, GenerationMode, HookContext

# Each is checked against something that no schema tells of: a signature, a pair, the columns that there are, our time.
LEFT_OUT = ("cursor", "since", "until", "filter", "sort", "column", "range", "failed_since", "address", "key_id")
# Values of bodies that name something, and what names nothing.
NAMES = {
    "webhook_url": "https://hooks.example.org/pfd",
    "threshold": 0.5,  # of any measure
}
REFERENCES = ("parent_id", "dataset_id")


@schemathesis.hook
def before_call(context: HookContext, case: Case, kwargs: dict[str, Any]) -> None:
    """Let a request that is to be accepted be one that can be."""
    if case.meta is None or case.meta.generation.mode is not GenerationMode.POSITIVE:
        return
    for name in LEFT_OUT:
        case.query.pop(name, None)
    case.headers.pop("Last-Event-ID", None)  # one that this stream has told
    if "Idempotency-Key" in case.headers:  # under one word only one request is done
        case.headers["Idempotency-Key"] = uuid.uuid4().hex
    if isinstance(case.body, dict):
        case.body = _acceptable(case, kwargs)


def _acceptable(case: Case, kwargs: dict[str, Any]) -> dict[str, Any]:
    body = _storable(case.body)
    for name, value in NAMES.items():
        if body.get(name) is not None:
            body[name] = value
    for name in REFERENCES:
        body.pop(name, None)
    if " " not in (body.get("endpoint") or " ").strip():
        body["endpoint"] = None  # made as long as may be, which is all that is looked at then, and no route
    if "experiment_id" in body:
        body["experiment_id"] = _experiment(case, kwargs) or body["experiment_id"]
    return body


def _experiment(case: Case, kwargs: dict[str, Any]) -> int | None:
    """The number of an experiment that is there; None where whoever asks may make none."""
    address = f"{case.operation.base_url}/api/v1/experiments"
    given = {**(kwargs.get("headers") or {}), **case.headers}
    own = {name: word for name, word in given.items() if name.lower() == "authorization"}
    answer = requests.post(address, json={"name": uuid.uuid4().hex}, headers=own, timeout=60)
    return int(answer.json()["id"]) if answer.ok else None


def _storable(value: Any) -> Any:
    """The same without NUL characters, which PostgreSQL keeps nowhere, and of whole numbers of 63 bits."""
    if isinstance(value, str):
        return value.replace("\0", "")
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return 0
    if isinstance(value, list):
        return [_storable(one) for one in value]
    if isinstance(value, dict):
        return {_storable(name): _storable(one) for name, one in value.items()}
    return value
