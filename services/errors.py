"""What can go wrong for a reason that a person can act on."""


class AppError(Exception):
    """A refusal with a status for HTTP, a code for programs and a sentence for people."""

    status_code = 400
    code = "bad_request"


class Invalid(AppError):
    """A value that cannot be accepted; `field` names where it was entered."""

    status_code = 422
    code = "invalid"

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class NotFound(AppError):
    """There is no such thing, or not for this person: the two are not told apart."""

    status_code = 404
    code = "not_found"

    def __init__(self, thing: str) -> None:
        super().__init__(f"There is no such {thing}.")


class Conflict(AppError):
    """It does not go together with what is there now."""

    status_code = 409
    code = "conflict"


class ChangedMeanwhile(AppError):
    """It is no longer as it was when it was read."""

    status_code = 412
    code = "changed_meanwhile"

    def __init__(self, thing: str) -> None:
        super().__init__(f"This {thing} was changed since you read it. Read it again, then change it.")


class Forbidden(AppError):
    """Seen, but not to be changed by this person."""

    status_code = 403
    code = "forbidden"


class TooManyAttempts(AppError):
    """Slow down; `retry_after` is in seconds."""

    status_code = 429
    code = "too_many_attempts"

    def __init__(self, retry_after: int) -> None:
        minutes = max(1, round(retry_after / 60))
        super().__init__(f"Too many attempts. Try again in about {minutes} min.")
        self.retry_after = retry_after
