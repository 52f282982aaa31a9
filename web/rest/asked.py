"""What a request asks for: its body, the values in its address, its conditions, checked against models."""

import re
from typing import Any, TypeVar, get_origin

import orjson
from flask import request
from pydantic import BaseModel, ConfigDict, ValidationError
from werkzeug.exceptions import NotAcceptable

from services.errors import AppError, Invalid
from web.rest import strict_json

M = TypeVar("M", bound=BaseModel)
LONGEST_SHOWN, MOST_FAULTS = 200, 20
JSON = "application/json"
_IDEMPOTENCY = re.compile(r'"?([!#-\[\]-~]{1,255})"?', re.ASCII)
_ALTERNATIVES = frozenset({"int", "float", "bool", "str", "none", "[key]"})
# Whoever compresses an answer changes its ETag: we and Apache add the coding to it, nginx weakens it.
_TAG = re.compile(r'(?:W/)?"([!#-~]*?)(?:[:-](?:zstd|br|gzip))?"', re.ASCII)


class Body(BaseModel):
    """What is sent; a name that is not known is refused, and nothing is turned into what it is not."""

    model_config = ConfigDict(extra="forbid", strict=True, str_strip_whitespace=False)


class Query(BaseModel):
    """What stands in an address; a name that is not known is refused."""

    model_config = ConfigDict(extra="forbid")


class Faulty(Invalid):
    """Several things that cannot be accepted, each with its place."""

    def __init__(self, faults: list[dict[str, str]]) -> None:
        super().__init__(f"{faults[0]['field']}: {faults[0]['detail']}" if faults[0]["field"] else faults[0]["detail"])
        self.faults = faults


class WrongType(AppError):
    """A body in a form that this address does not read."""

    status_code = 415
    code = "unsupported_media_type"


class NoCondition(AppError):
    """A change that does not say which state it was made for."""

    status_code = 428
    code = "if_match_required"


def body(model: type[M]) -> tuple[M, bytes]:
    """The body as its model, and the same in one spelling, by which equal bodies are known."""
    if request.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise WrongType("Send the body as it is, without Content-Encoding.")
    charset = request.mimetype_params.get("charset", "utf-8")
    if request.mimetype != JSON or charset.strip('"').lower() not in {"utf-8", "utf8"}:
        raise WrongType(f"Send the body as {JSON} in UTF-8.")
    data = request.get_data()
    if not data:
        raise strict_json.Malformed("Send a JSON object in the body.", "body")
    value = strict_json.loads(data)
    if not isinstance(value, dict):
        raise Faulty([{"field": "body", "detail": "The body must be a JSON object."}])
    spelled = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    try:
        return model.model_validate_json(spelled), spelled
    except ValidationError as error:
        raise Faulty(faults_of(error)) from None


def query(model: type[M]) -> M:
    """The values in the address as their model."""
    values: dict[str, Any] = {}
    faults = []
    for name, given in request.args.to_dict(flat=False).items():
        field = model.model_fields.get(name)
        if field is None:
            faults.append({"field": name[:LONGEST_SHOWN], "detail": "There is no such parameter."})
        elif get_origin(field.annotation) is list:
            values[name] = given
        elif len(given) > 1:
            faults.append({"field": name, "detail": "This parameter was given more than once."})
        else:
            values[name] = given[0]
    if faults:
        raise Faulty(faults[:MOST_FAULTS])
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise Faulty(faults_of(error)) from None


def faults_of(error: ValidationError) -> list[dict[str, str]]:
    """Each fault with the place in the words of the sender."""
    faults: dict[str, str] = {}
    for one in error.errors(include_url=False, include_context=False, include_input=False):
        faults.setdefault(_place(one["loc"]), one["msg"].removeprefix("Value error, "))
    return [{"field": field, "detail": detail} for field, detail in list(faults.items())[:MOST_FAULTS]]


def _place(location: tuple[int | str, ...]) -> str:
    said = ""
    for place, part in enumerate(location):
        if isinstance(part, int):
            said += f"[{part}]"
        elif place == len(location) - 1 and (part in _ALTERNATIVES or part.startswith(("literal[", "constrained-"))):
            break  # which of several kinds was tried, which no sender has written
        else:
            said += f".{part}" if said else part
    return said[:LONGEST_SHOWN]


def form(offered: tuple[str, ...]) -> str:
    """Which of the forms that an answer has is wanted."""
    if not request.accept_mimetypes:
        return offered[0]
    wanted = request.accept_mimetypes.best_match(offered)
    if wanted is None:
        raise NotAcceptable
    return str(wanted)


def idempotency_key() -> str | None:
    """The word by which a repeated request is known; the quotes of a structured field may stand around it."""
    given = request.headers.get("Idempotency-Key")
    if given is None:
        return None
    found = _IDEMPOTENCY.fullmatch(given.strip(" \t"))
    if found is None:
        raise Faulty([{"field": "Idempotency-Key", "detail": "Use 1 to 255 letters, digits and signs of ASCII."}])
    return found[1]


def conditions() -> tuple[str, ...]:
    """The ETags of the states for which a change was made, as they were before any compression; “*” is any."""
    given = request.headers.get("If-Match", "").strip()
    if not given:
        raise NoCondition("Say in the header If-Match which state you change: the ETag with which you read it.")
    return ("*",) if given == "*" else tuple(f'"{word}"' for word in _TAG.findall(given))
