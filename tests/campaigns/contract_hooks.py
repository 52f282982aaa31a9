"""What schemathesis cannot know of a request that the document allows: which values go together with what is there."""

import uuid
from typing import Any

import schemathesis
from schemathesis import Case, GenerationMode, HookContext

# Each is checked against something that no schema tells of: a signature, a pair, the columns that there are.
LEFT_OUT = ("cursor", "since", "until", "filter", "sort", "column", "range")


@schemathesis.hook
def before_call(context: HookContext, case: Case, kwargs: dict[str, Any]) -> None:
    """Let a request that is to be accepted be one that can be."""
    if case.meta is None or case.meta.generation.mode is not GenerationMode.POSITIVE:
        return
    for name in LEFT_OUT:
        case.query.pop(name, None)
    if "Idempotency-Key" in case.headers:  # under one word only one request is done
        case.headers["Idempotency-Key"] = uuid.uuid4().hex
    if isinstance(case.body, dict) and "webhook_url" in case.body:
        case.body["webhook_url"] = "https://hooks.example.org/pfd"
