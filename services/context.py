"""Where the present piece of work comes from: the address and the id of a request, without knowing the web."""

from contextvars import ContextVar, Token
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Origin:
    """The request on whose behalf something is done; a job or a command has none."""

    address: str | None = None
    request_id: str | None = None


_origin: ContextVar[Origin] = ContextVar("origin", default=Origin())  # noqa: B039 - frozen, so shared by nobody


def origin() -> Origin:
    """Where the present work comes from."""
    return _origin.get()


def enter(address: str | None, request_id: str | None) -> Token[Origin]:
    """Say where the work that begins now comes from; `leave` with what is returned takes it back."""
    return _origin.set(Origin(None if address is None else address[:45], request_id))


def leave(token: Token[Origin]) -> None:
    """The request has ended."""
    _origin.reset(token)
