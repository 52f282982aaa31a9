"""A wrong password, code or passkey of somebody who is signed in leaves a row, as one at the sign-in does."""

from collections.abc import Iterator
from contextlib import contextmanager

from database.engine import transaction
from services import sudo
from web.identity import current_session, visitor


@contextmanager
def wrong_ones_noted() -> Iterator[None]:
    """Write down what was wrong inside, in a transaction of its own, and go on with telling it."""
    try:
        yield
    except sudo.WrongFactor as error:
        with transaction() as session:
            sudo.note_refused(session, current_session(), visitor(), error)
        raise
