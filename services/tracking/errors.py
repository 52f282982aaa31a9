"""Refusals in the words that MLflow's client knows."""

from services.errors import AppError


class TrackingError(AppError):
    """A refusal with one of MLflow's error codes."""

    def __init__(self, message: str) -> None:
        super().__init__(message)


class InvalidParameter(TrackingError):
    """A value that cannot be accepted."""

    code = "INVALID_PARAMETER_VALUE"


class NotThere(TrackingError):
    """There is no such thing, or not for this key."""

    status_code = 404
    code = "RESOURCE_DOES_NOT_EXIST"


class AlreadyThere(TrackingError):
    """The name is taken."""

    code = "RESOURCE_ALREADY_EXISTS"


class NotOffered(TrackingError):
    """MLflow has it and this dashboard has not."""

    status_code = 404
    code = "ENDPOINT_NOT_FOUND"


class TooLarge(TrackingError):
    """More than is taken at once."""

    status_code = 413
    code = "BAD_REQUEST"
