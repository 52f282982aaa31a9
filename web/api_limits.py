"""The limits of the API on its requests and answers: counted, told in each answer to a key, refused with 429."""

import base64

from flask import Flask, Response, g, request
from werkzeug.wrappers import Response as AnyResponse

from services.api_keys.speaking import Speaker
from services.limits import quotas
from services.limits.gcra import Decision
from services.limits.quotas import QuotaExceeded
from web.errors import refusal

# draft-ietf-httpapi-ratelimit-headers-10; the type is the one that it registers.
PROBLEM = "https://iana.org/assignments/http-problem-types#quota-exceeded"
KEY, ADDRESS, PERSON = "key", "address", "person"


def count(speaker: Speaker) -> None:
    """Count a request of a key that works; raises when its limit is reached."""
    decision = quotas.of_key(speaker.prefix, speaker.rate_limit)
    g.api_limit = (KEY, decision, speaker.key_id)
    if not decision.allowed:
        raise QuotaExceeded(decision, "This key")


def count_stranger() -> None:
    """Count a request without a key that works against its address; raises when that has made too many."""
    decision = quotas.of_address(request.remote_addr)
    g.api_limit = (ADDRESS, decision, None)
    if not decision.allowed:
        raise QuotaExceeded(decision, "An address without a key that works")


def _tell(answer: AnyResponse, name: str, decision: Decision, key_id: int | None) -> None:
    policy = f'"{name}";q={decision.policy.quota};w={decision.policy.window}'
    if key_id is not None:  # which bucket it is; the number of a key is no secret
        policy += f";pk=:{base64.b64encode(b'key:%d' % key_id).decode()}:"
    answer.headers["RateLimit-Policy"] = policy
    answer.headers["RateLimit"] = f'"{name}";r={decision.remaining};t={decision.reset}'


def register(server: Flask) -> None:
    """Answer what is too much, and tell each caller how much is left."""

    @server.errorhandler(QuotaExceeded)
    def _too_many(error: QuotaExceeded) -> AnyResponse:
        name = g.api_limit[0] if "api_limit" in g else PERSON
        answer = refusal(429, str(error), type=PROBLEM, code=error.code, **{"violated-policies": [name]})
        answer.headers["Retry-After"] = str(error.decision.reset)
        return answer

    @server.after_request
    def _headers(answer: Response) -> Response:
        told = g.get("api_limit")
        if told is not None:
            _tell(answer, *told)
        return answer
