"""Refusals below MLflow's addresses, in the form and with the codes that its client reads."""

from flask import Response, jsonify, request

PREFIXES = ("/api/2.0/", "/api/3.0/")
_BY_STATUS = {
    400: "BAD_REQUEST",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "ENDPOINT_NOT_FOUND",
    405: "ENDPOINT_NOT_FOUND",
    409: "RESOURCE_CONFLICT",
    422: "INVALID_PARAMETER_VALUE",
    429: "REQUEST_LIMIT_EXCEEDED",
    503: "TEMPORARILY_UNAVAILABLE",
}


def is_asked() -> bool:
    """Whether this request is for MLflow's protocol."""
    return request.path.startswith(PREFIXES)


def answer(status: int, detail: str, code: str | None) -> Response:
    """A refusal as MLflow's server writes it; codes of our own services become the nearest of its."""
    if code is not None and code.isupper():
        named = code
    elif code == "not_found":
        named = "RESOURCE_DOES_NOT_EXIST"
    else:
        named = _BY_STATUS.get(status, "INTERNAL_ERROR" if status >= 500 else "BAD_REQUEST")
    told = jsonify(error_code=named, message=detail)
    told.status_code = 400 if status == 422 else status  # MLflow has no 422
    return told
