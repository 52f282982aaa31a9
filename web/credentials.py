"""Password and e-mail address of whoever is signed in, changed in steps: no transaction waits for a hash."""

from database.engine import transaction
from services import own_email, own_password, sudo
from web.factors import wrong_ones_noted
from web.identity import current_session, visitor


def change_password(current: str, new: str, again: str) -> int:
    """Change it and return how many other sessions ended; a wrong current one counts as a guess and is noted."""
    signed_in, who = current_session(), visitor()
    own_password.check_new(signed_in.actor, signed_in.email, new, again)
    with transaction() as session:
        change = own_password.begin(session, signed_in.actor, who)
    with wrong_ones_noted():
        new_hash = own_password.hashed(change, current, new)
    with transaction() as session:
        ended = own_password.complete(session, signed_in.actor, signed_in.session_id, who, change, new_hash)
        sudo.confirm(session, signed_in, "password")
        return ended


def ask_for_email(email: str, current: str) -> str:
    """Send a link to a new address, which is confirmed by opening it, and return the address as it will be stored."""
    signed_in, who = current_session(), visitor()
    address = own_email.check_new(signed_in.email, email)
    with transaction() as session:
        change = own_password.begin(session, signed_in.actor, who)
    with wrong_ones_noted():
        own_email.verify(change, current)
    with transaction() as session:
        own_email.ask(session, signed_in.actor, who, change, address)
        sudo.confirm(session, signed_in, "password")  # and nothing is sent where the session was ended meanwhile
    return address
